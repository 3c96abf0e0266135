//! The processes of a browser: one group with a leader, ended as a whole.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::Child;

/// How often a leader that is to go is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A process group with the child that leads it. Dropping it ends the whole group, also after its leader.
///
/// The leader is waited for last of all: as long as the system remembers it, nobody else gets its number, and the signal to the group reaches
/// no strangers.
#[derive(Debug)]
pub(crate) struct Group(Child);

impl Group {
    /// The group of a child that was started as its leader.
    pub fn of(child: Child) -> Self {
        Self(child)
    }

    /// The number of the leader; `None` when it was waited for.
    #[cfg(test)]
    pub fn leader(&self) -> Option<u32> {
        self.0.id()
    }

    /// Whether the leader has ended. It is left for the system to remember.
    pub fn has_ended(&self) -> bool {
        let Some(leader) = self.pid() else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(leader), options), Ok(None))
    }

    /// Waits for the end of the leader for a time, then ends whatever is left.
    pub async fn stop(&mut self, time: Duration) {
        let _ = tokio::time::timeout(time, async {
            while !self.has_ended() {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
        self.end();
        let _ = tokio::time::timeout(time, self.0.wait()).await;
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.0.id()?).ok()?)
    }

    fn end(&self) {
        if let Some(group) = self.pid() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt as _, BufReader};
    use tokio::process::{ChildStdout, Command};

    use super::*;

    /// A leader that leaves somebody behind and ends; what the two of them write to.
    async fn left_behind() -> (Group, BufReader<ChildStdout>) {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 600 & echo left"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        says.read_line(&mut line).await.unwrap();
        assert_eq!(line, "left\n");
        let group = Group::of(child);
        let ended = async {
            while !group.has_ended() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
        (group, says)
    }

    /// Waits until nobody holds the pipe any more.
    async fn all_gone(mut says: BufReader<ChildStdout>) {
        let mut line = String::new();
        let end = tokio::time::timeout(Duration::from_secs(20), says.read_line(&mut line)).await;
        assert_eq!(end.unwrap().unwrap(), 0, "somebody is left: {line}");
    }

    #[tokio::test]
    async fn what_a_leader_left_behind_ends_with_its_group() {
        let (group, says) = left_behind().await;
        drop(group);
        all_gone(says).await;
        let (mut group, says) = left_behind().await;
        group.stop(Duration::from_secs(20)).await;
        all_gone(says).await;
        assert_eq!(group.leader(), None, "it was waited for");
    }
}
