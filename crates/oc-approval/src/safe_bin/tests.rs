//! What is allowed and what asks, program by program.

use super::catalogue::Catalogue;
use super::judge;
use super::reads::{ReadRule, Walk};
use super::usage::{Argument, Input, MadeBy, Terminal, Usage};
use crate::plan::Miss;

/// A read rule that knows a few names.
#[derive(Debug)]
struct Names;

impl ReadRule for Names {
    fn read(&self, operand: &str) -> Result<(), Miss> {
        let protected = ["shadow", "id_rsa", ".env", ".ssh", "environ", "server.key", "/dev/"];
        if protected.iter().any(|name| operand.contains(name)) {
            return Err(Miss::new("protected-path", operand));
        }
        Ok(())
    }

    fn list(&self, operand: &str) -> Result<(), Miss> {
        self.read(operand)
    }

    fn walk(&self, operand: &str, _what: Walk) -> Result<(), Miss> {
        if ["/", "/home", "/root", ".."].contains(&operand) {
            return Err(Miss::new("protected-path", operand));
        }
        self.read(operand)
    }
}

fn words(line: &[&str]) -> Result<(), Miss> {
    let (name, rest) = line.split_first().unwrap();
    let arguments: Vec<Argument> =
        rest.iter().map(|text| Argument { text: (*text).to_owned(), made_by: MadeBy::Text }).collect();
    let usage = Usage { name, arguments: &arguments, input: Input::Empty, terminal: Terminal::Absent };
    judge(&usage, &Catalogue::default(), &Names)
}

#[test]
fn first() {
    assert_eq!(words(&["ls", "-la"]), Ok(()));
    assert_eq!(words(&["tar", "tzf", "a.tar.gz"]), Ok(()));
    assert_eq!(words(&["find", ".", "-name", "x"]), Ok(()));
    assert!(words(&["sort", "--o=x", "a"]).is_err());
}
