//! How many heaps the C library keeps for the threads of a server.
//!
//! glibc gives threads heaps of their own, up to eight a core, and what is freed in one is not used by another. A gateway reads and writes
//! files on a pool of threads, so each of these heaps grows to the largest thing that ever went through it: a thousand sessions took twice
//! the memory that they need (`cargo xtask bench ingress`).
//!
//! The setting is a call of the C library that no safe wrapper offers, and `MALLOC_ARENA_MAX` is only read when a program starts. So this
//! crate holds the one `unsafe` call of the workspace, and nothing else. Everywhere else `unsafe` is forbidden.

/// Heaps that all threads share.
pub const HEAPS: i32 = 2;

/// Lets the threads of this process share [`HEAPS`] heaps from now on. Whether the C library took it; elsewhere than on glibc there is nothing
/// to set, and the answer is `false`. To be called before threads are started: heaps that are there stay.
pub fn share_heaps() -> bool {
    set()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn set() -> bool {
    #[expect(unsafe_code, reason = "a call of the C library; see the module text")]
    // SAFETY: `mallopt` takes two numbers and no pointer. It may be called at any time, from any thread; it locks what it changes.
    let taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) };
    taken == 1
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn set() -> bool {
    false
}

#[cfg(test)]
mod tests {
    #[test]
    fn many_threads_share_few_heaps() {
        let taken = super::share_heaps();
        assert_eq!(taken, cfg!(all(target_os = "linux", target_env = "gnu")));
        let arenas = || {
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
            // A heap of a thread is a mapping of up to 64 MiB, reserved as a whole: a writable part and an unreachable rest behind it.
            let lines: Vec<&str> = maps.lines().collect();
            let is_heap = |pair: &[&str]| match pair {
                [a, b] => {
                    a.contains(" rw-p 00000000 00:00 0")
                        && b.contains(" ---p 00000000 00:00 0")
                        && size(b) > 32 << 20
                }
                _ => false,
            };
            lines.windows(2).filter(|pair| is_heap(pair)).count()
        };
        let threads: Vec<_> = (0..16)
            .map(|_| {
                std::thread::spawn(|| {
                    let all: Vec<Vec<u8>> = (0..1000).map(|n| vec![1; 100 + n]).collect();
                    std::hint::black_box(&all);
                    std::thread::park_timeout(std::time::Duration::from_secs(20));
                })
            })
            .collect();
        let found = arenas();
        for thread in threads {
            thread.thread().unpark();
            assert!(thread.join().is_ok());
        }
        assert!(found <= 2, "{found} heaps");
    }

    fn size(line: &str) -> u64 {
        let range = line.split(' ').next().unwrap_or_default();
        let (from, to) = range.split_once('-').unwrap_or_default();
        let number = |text| u64::from_str_radix(text, 16).unwrap_or_default();
        number(to).saturating_sub(number(from))
    }
}
