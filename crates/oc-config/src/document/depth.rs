//! How deep and how large a JSON5 text is, found without recursion: the parser itself recurses and would exhaust the stack, and a
//! value takes many times the memory of its text (SP-016, SP-020).

use super::lines::ends_line;

/// Deepest accepted nesting of objects and lists, in one file and after includes.
pub const MAX_DEPTH: usize = 128;
/// Most values in one file.
pub const MAX_VALUES: usize = 500_000;

/// What the scan found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Within the limits.
    Fine(Ending),
    /// The bracket at this byte offset is one too deep.
    TooDeep(usize),
    /// There are more than [`MAX_VALUES`] values; the offset is where the limit is passed.
    TooMany(usize),
}

/// What is still open where the text ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ending {
    /// Offsets of the open brackets, outermost first.
    pub(super) brackets: Vec<usize>,
    /// The offset of a text that is not closed.
    pub(super) string: Option<usize>,
    /// The offset of a comment that is not closed.
    pub(super) comment: Option<usize>,
}

impl Nesting {
    /// Whether the text may be given to the parser.
    pub(super) fn is_fine(&self) -> bool {
        matches!(self, Self::Fine(_))
    }
}

/// Counts brackets and commas outside strings and comments.
pub(super) fn scan(text: &str) -> Nesting {
    let mut end = Ending::default();
    let mut values = 1;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '[' | '{' | ',' => {
                values += 1;
                if values > MAX_VALUES {
                    return Nesting::TooMany(at);
                }
                if c == ',' {
                    continue;
                }
                if end.brackets.len() >= MAX_DEPTH {
                    return Nesting::TooDeep(at);
                }
                end.brackets.push(at);
            }
            ']' | '}' => {
                end.brackets.pop();
            }
            '"' | '\'' => {
                end.string = Some(at);
                while let Some((_, s)) = chars.next() {
                    if s == '\\' {
                        chars.next();
                    } else if s == c {
                        end.string = None;
                        break;
                    }
                }
            }
            '/' => match chars.peek() {
                Some((_, '/')) => while chars.next_if(|(_, c)| !ends_line(*c)).is_some() {},
                Some((_, '*')) => {
                    chars.next();
                    end.comment = Some(at);
                    let mut star = false;
                    for (_, s) in chars.by_ref() {
                        if star && s == '/' {
                            end.comment = None;
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
    Nesting::Fine(end)
}
