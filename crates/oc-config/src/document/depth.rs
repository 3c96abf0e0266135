//! How deep a JSON5 text nests, found without recursion: the parser itself recurses and would exhaust the stack (SP-016, SP-020).

use super::lines::ends_line;

/// Deepest accepted nesting of objects and lists, in one file and after includes.
pub const MAX_DEPTH: usize = 128;

/// What the scan found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Within the limit; offsets of the brackets that stay open at the end, outermost first.
    Fine(Vec<usize>),
    /// The bracket at this byte offset is one too deep.
    TooDeep(usize),
}

impl Nesting {
    /// Whether the text may be given to the parser.
    pub(super) fn is_fine(&self) -> bool {
        matches!(self, Self::Fine(_))
    }
}

/// Counts brackets outside strings and comments.
pub(super) fn scan(text: &str) -> Nesting {
    let mut open = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '[' | '{' => {
                if open.len() >= MAX_DEPTH {
                    return Nesting::TooDeep(at);
                }
                open.push(at);
            }
            ']' | '}' => {
                open.pop();
            }
            '"' | '\'' => {
                while let Some((_, s)) = chars.next() {
                    if s == '\\' {
                        chars.next();
                    } else if s == c {
                        break;
                    }
                }
            }
            '/' => match chars.peek() {
                Some((_, '/')) => while chars.next_if(|(_, c)| !ends_line(*c)).is_some() {},
                Some((_, '*')) => {
                    chars.next();
                    let mut star = false;
                    for (_, s) in chars.by_ref() {
                        if star && s == '/' {
                            break;
                        }
                        star = s == '*';
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    Nesting::Fine(open)
}
