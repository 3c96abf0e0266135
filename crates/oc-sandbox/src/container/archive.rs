//! A tar archive of a few files, as the engine takes them for an image or a container (ustar, owned by root).

/// An archive under construction.
#[derive(Debug, Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    File(&'a [u8]),
    Directory,
    Link(&'a str),
}

const BLOCK: usize = 512;

impl Archive {
    /// Adds a directory.
    pub(super) fn directory(&mut self, name: &str, mode: u32) {
        self.entry(name, mode, Kind::Directory);
    }

    /// Adds a file.
    pub(super) fn file(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entry(name, mode, Kind::File(content));
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, name: &str, target: &str) {
        self.entry(name, 0o777, Kind::Link(target));
    }

    /// The archive's bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }

    /// Names are at most 100 bytes: they are ours, not a user's.
    fn entry(&mut self, name: &str, mode: u32, kind: Kind<'_>) {
        let (flag, target, content): (u8, &str, &[u8]) = match kind {
            Kind::File(content) => (b'0', "", content),
            Kind::Directory => (b'5', "", &[]),
            Kind::Link(target) => (b'2', target, &[]),
        };
        let mut header = Vec::with_capacity(BLOCK);
        let mut field = |bytes: &[u8], size: usize| {
            let end = header.len() + size;
            header.extend(bytes.iter().take(size));
            header.resize(end, 0);
        };
        field(name.as_bytes(), 100);
        for (number, size) in [(u64::from(mode), 8), (0, 8), (0, 8), (content.len() as u64, 12), (0, 12)] {
            field(format!("{number:0width$o}", width = size - 1).as_bytes(), size);
        }
        // The sum is taken with blanks in its own place.
        field(b"        ", 8);
        field(&[flag], 1);
        field(target.as_bytes(), 100);
        field(b"ustar\x0000", 8);
        field(b"", BLOCK - 265);
        let sum: u64 = header.iter().map(|b| u64::from(*b)).sum();
        let sum = format!("{sum:06o}\0 ");
        for (place, byte) in header.iter_mut().skip(148).zip(sum.bytes()) {
            *place = byte;
        }
        self.bytes.extend(header);
        self.bytes.extend(content);
        let rest = content.len() % BLOCK;
        if rest > 0 {
            self.bytes.resize(self.bytes.len() + BLOCK - rest, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_reads_what_was_written() {
        let mut archive = Archive::default();
        archive.directory("d/", 0o755);
        archive.file("d/f", 0o640, b"content");
        archive.link("d/l", "f");
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.tar");
        std::fs::write(&path, archive.finish()).expect("written");
        let list = std::process::Command::new("tar").arg("-tvf").arg(&path).output().expect("tar");
        let text = String::from_utf8_lossy(&list.stdout);
        assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
        assert!(text.contains("-rw-r-----") && text.contains("7 ") && text.contains("d/l -> f"), "{text}");
    }
}
