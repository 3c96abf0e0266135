//! The attempts to get out. Each one prints `ESCAPED` when it got what it was after, wherever it runs.
//!
//! Each one is bounded, so that it does no harm where nothing holds it back: at most 300 sleeping processes, 300 MB of memory, 48 MB of disk;
//! signals go to one process that the test started. So all of them are run without protection as well.
//!
//! A script sees `$W` (its workspace), `$P` (a perl that needs nothing but itself), and the places of the [`Host`](crate::host::Host): `$HOME_DIR`,
//! `$STATE`, `$OTHER`, `$SOCKET`, `$PORT`, `$ABSTRACT`, `$HOST_PID`.

/// How a probe is shown to work when nothing protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprotected {
    /// In a plain shell on the host.
    Shell,
    /// The same, but only root gets what it is after: without root it is not shown.
    RootShell,
    /// In a plain shell of another user (needs root to become one).
    OtherUser,
    /// In fresh namespaces as their root: what they change or open would be this machine's own.
    Namespaces,
    /// The same, after these commands.
    Prepared(&'static str),
}

/// What the limits of a probe's sandbox are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Both backends.
    Both,
    /// The native sandbox alone; the reason is in the table.
    Native,
}

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    pub name: &'static str,
    pub script: &'static str,
    pub unprotected: Unprotected,
    pub on: On,
}

const fn probe(name: &'static str, unprotected: Unprotected, script: &'static str) -> Probe {
    Probe { name, script, unprotected, on: On::Both }
}

const fn native(name: &'static str, unprotected: Unprotected, script: &'static str) -> Probe {
    Probe { name, script, unprotected, on: On::Native }
}

use Unprotected::{Namespaces, OtherUser, Prepared, RootShell, Shell};

pub const PROBES: &[Probe] = &[
    // Files of the host.
    probe("read-shadow", RootShell, "head -c1 /etc/shadow >/dev/null && echo ESCAPED"),
    probe("read-host-home", Shell, "cat $HOME_DIR/secret && echo ESCAPED"),
    probe("read-state", Shell, "cat $STATE/openclaw.json && echo ESCAPED"),
    probe("read-other-session", Shell, "cat $OTHER/secret && echo ESCAPED"),
    probe("write-outside", Shell, "echo x > $HOME_DIR/written && echo ESCAPED"),
    probe("write-system", RootShell, "f=/usr/.escape-$$; : > $f && rm $f && echo ESCAPED"),
    probe("symlink", Shell, "rm -f $W/l; ln -s $HOME_DIR/secret $W/l; cat $W/l && echo ESCAPED"),
    probe("symlink-to-root", Shell, "rm -f $W/r; ln -s / $W/r; cat $W/r$HOME_DIR/secret && echo ESCAPED"),
    probe("dot-dot", Shell, "cat $W/../../../../../../..$HOME_DIR/secret && echo ESCAPED"),
    probe("hard-link", Shell, "rm -f $W/h; ln $HOME_DIR/secret $W/h && cat $W/h && echo ESCAPED"),
    probe(
        "rename-race",
        Shell,
        "cd $W; rm -rf race; mkdir -p race/d; ln -s $HOME_DIR race/l
         (i=0; while [ $i -lt 300 ]; do mv -T race/d race/x; mv -T race/l race/d; mv -T race/d race/l; mv -T race/x race/d; i=$((i+1)); done; : > race/done) 2>/dev/null &
         i=0; while [ ! -e race/done ] && [ $i -lt 200000 ]; do if read s < race/d/secret; then echo ESCAPED; break; fi; i=$((i+1)); done 2>/dev/null; wait",
    ),
    probe("proc-self-root", Shell, "cat /proc/self/root$HOME_DIR/secret && echo ESCAPED"),
    probe("proc-1-root", Namespaces, "cat /proc/1/root$HOME_DIR/secret && echo ESCAPED"),
    probe(
        "inherited-directory",
        Shell,
        "for d in /proc/self/fd/* /proc/1/fd/*; do cat $d/secret && echo ESCAPED; done 2>/dev/null",
    ),
    probe(
        "any-root-or-cwd",
        Shell,
        "for d in /proc/[0-9]*; do cat $d/root$HOME_DIR/secret $d/cwd$HOME_DIR/secret 2>/dev/null && echo ESCAPED && break; done",
    ),
    probe("device-node", RootShell, "rm -f $W/n; mknod $W/n c 1 3 && echo ESCAPED"),
    probe("host-device", RootShell, "[ -e /dev/kmsg ] && head -c0 /dev/kmsg && echo ESCAPED"),
    probe("kernel-setting", RootShell, "f=/proc/sys/kernel/core_pattern; v=$(cat $f); echo \"$v\" > $f && echo ESCAPED"),
    // The environment.
    probe("host-environment", Shell, "env | grep -q ESCAPE_CANARY && echo ESCAPED"),
    probe("environment-of-1", Shell, "cat /proc/self/environ /proc/1/environ /proc/$PPID/environ 2>/dev/null | grep -aq ESCAPE_CANARY && echo ESCAPED"),
    // Kernel doors.
    probe("mount", Namespaces, "mkdir -p $W/m; $P -e '$n=\"none\"; $m=\"$ENV{W}/m\"; $t=\"tmpfs\"; exit(syscall(165,$n,$m,$t,0,0)==0?0:1)' && echo ESCAPED"),
    probe("new-user-namespace", Shell, "$P -e 'exit(syscall(272,0x10000000)==0?0:1)' && echo ESCAPED"),
    probe(
        "new-namespace-by-clone",
        Shell,
        "$P -e '$r=syscall(56,0x10000000|17,0,0,0,0); exit 0 if $r==0; waitpid($r,0) if $r>0; exit($r>0?0:1)' && echo ESCAPED",
    ),
    // An engine's own filter lets a process trace its children, which gives it nothing.
    native(
        "ptrace",
        Shell,
        "$P -e '$c=fork; if(!$c){sleep 5; exit} $r=syscall(101,16,$c+0,0,0); kill 9,$c; exit($r==0?0:1)' && echo ESCAPED",
    ),
    probe("ptrace-a-host-process", RootShell, "$P -e 'exit(syscall(101,0x4206,$ENV{HOST_PID}+0,0,0)==0?0:1)' && echo ESCAPED"),
    probe(
        "read-memory-of-another",
        Shell,
        "$P -e '$c=fork; if(!$c){sleep 5; exit} $b=\"x\"x16; $v=pack(\"QQ\",unpack(\"Q\",pack(\"P\",$b)),16); $r=syscall(310,$c+0,$v,1,$v,1,0); kill 9,$c; exit($r==16?0:1)' && echo ESCAPED",
    ),
    probe("keyring", Shell, "$P -e 'exit(syscall(250,0,-4,1)>=0?0:1)' && echo ESCAPED"),
    probe("open-by-handle", RootShell, "$P -e '$h=pack(\"Iia128\",128,0,\"\"); $m=pack(\"i\",0); $p=\"/\"; exit 1 if syscall(303,-100,$p,$h,$m,0)!=0; open(D,\"/\"); exit(syscall(304,fileno(D),$h,0)>=0?0:1)' && echo ESCAPED"),
    // The engine of the container half still allows it; it reaches nothing by itself.
    native("io-uring", Shell, "$P -e '$b=\"\\0\"x120; exit(syscall(425,1,$b)>=0?0:1)' && echo ESCAPED"),
    probe("bpf", RootShell, "$P -e '$a=pack(\"IIII\",1,4,4,1).(\"\\0\"x112); exit(syscall(321,0,$a,128)>=0?0:1)' && echo ESCAPED"),
    // The network.
    probe(
        "loopback",
        Shell,
        "$P -e 'socket(S,2,1,0); exit(connect(S,pack(\"Sna4x8\",2,$ENV{PORT},\"\\x7f\\0\\0\\1\"))?0:1)' && echo ESCAPED",
    ),
    probe(
        "metadata-address",
        Prepared("ip link set lo up; ip addr add 169.254.169.254/32 dev lo; $P -e 'socket(S,2,1,0); bind(S,pack(\"Sna4x8\",2,80,\"\\0\\0\\0\\0\")); listen(S,1); sleep 3' & sleep 0.5"),
        "$P -e 'alarm 3; socket(S,2,1,0); exit(connect(S,pack(\"Sna4x8\",2,80,\"\\xa9\\xfe\\xa9\\xfe\"))?0:1)' && echo ESCAPED",
    ),
    probe("raw-socket", Namespaces, "$P -e 'exit(socket(S,2,3,1)?0:1)' && echo ESCAPED"),
    probe("packet-socket", Namespaces, "$P -e 'exit(socket(S,17,3,768)?0:1)' && echo ESCAPED"),
    probe(
        "unix-socket",
        Shell,
        "$P -e 'socket(S,1,1,0); exit(connect(S,pack(\"Sa*\",1,\"$ENV{SOCKET}\\0\"))?0:1)' && echo ESCAPED",
    ),
    probe(
        "abstract-socket",
        Shell,
        "$P -e 'socket(S,1,1,0); exit(connect(S,pack(\"Sa*\",1,\"\\0$ENV{ABSTRACT}\"))?0:1)' && echo ESCAPED",
    ),
    probe("engine-socket", Prepared("mkdir -p /run; : > /run/docker.sock; mkdir -p /var/run"), "[ -e /var/run/docker.sock ] || [ -e /run/docker.sock ] && echo ESCAPED"),
    // Users and processes.
    probe("set-user-id-program", OtherUser, "[ \"$($W/suid-id -u)\" = 0 ] && echo ESCAPED"),
    probe("become-root", Namespaces, "$P -e 'exit(syscall(105,0)==0 && $> == 0 ?0:1)' && echo ESCAPED"),
    probe("signal-a-host-process", Shell, "kill -0 $HOST_PID && grep -q sleep /proc/$HOST_PID/cmdline && echo ESCAPED"),
    // Limits: 128 MB, 64 processes, 16 MB scratch, 32 MB files, one processor.
    probe("memory", Shell, "$P -e '$x = \"a\" x (300<<20); print \"ESCAPED\\n\" if length $x'"),
    // The kernel fills it, page by page: a mapping alone takes nothing.
    probe(
        "shared-memory",
        Shell,
        "$P -e '$r=syscall(9,0,300<<20,3,0x21,-1,0); exit 1 if $r==-1; open(Z,\"/dev/zero\"); $n=0; while($n<300<<20){ $k=syscall(0,fileno(Z),$r+$n,1<<20); last if $k<=0; $n+=$k } exit($n>=300<<20?0:1)' && echo ESCAPED",
    ),
    probe(
        "processes",
        Namespaces,
        "$P -e '$n=0; while($n<300){ $c=fork; last if !defined $c; if(!$c){sleep 20; exit} push @c,$c; $n++ } kill 9,@c; print \"ESCAPED\\n\" if $n>=300'",
    ),
    probe("scratch-space", Shell, "[ -d /tmp ] && f=/tmp/fill.$$; dd if=/dev/zero of=$f bs=1M count=24 2>/dev/null && echo ESCAPED; rm -f $f"),
    probe("file-size", Shell, "dd if=/dev/zero of=$W/fill bs=1M count=48 2>/dev/null && echo ESCAPED; rm -f $W/fill"),
    // More time than one processor has, in one second of four: both a share of time and a choice of processors keep it from that. First it
    // asks for precedence over whatever else this machine does, which only root of the host gets.
    probe(
        "processors",
        RootShell,
        "$P -e 'if($f=fork){ waitpid($f,0); exit($?>>8) } syscall(112); open(A,\">/proc/self/autogroup\") && print A \"-20\"; close A; $m=pack(\"Q16\",~0); syscall(203,0,128,$m); for(1..12){ $c=fork; last if !defined $c; if(!$c){ alarm 20; 1 while 1 } push @c,$c } sub look { my $t=0; for(@c){ open(F,\"/proc/$_/stat\"); my @f=split / /,<F>; $t+=$f[13]+$f[14] } open(F,\"/proc/uptime\"); my ($u)=split / /,<F>; ($t/100,$u) } for(1..4){ @a=look(); select(undef,undef,undef,1); @b=look(); $best=1 if ($b[0]-$a[0])>1.25*($b[1]-$a[1]); last if $best } kill 9,@c; exit($best?0:1)' && echo ESCAPED",
    ),
];
