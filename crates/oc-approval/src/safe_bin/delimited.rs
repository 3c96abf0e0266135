//! Where a regular expression between delimiters ends, when every program that reads it agrees.

/// Reads up to the next delimiter that no backslash stands before: what stands before it.
///
/// Nothing when a line break comes first, when the delimiter is missing, or when it stands inside a bracket expression for some
/// reader of the text: implementations differ on whether `[/]` holds a slash, on `]` as the first member and on backslashes between
/// brackets.
pub(super) fn read(rest: &str, delimiter: char) -> Option<&str> {
    let mut readers = [
        Reader::new(true, true),
        Reader::new(true, false),
        Reader::new(false, true),
        Reader::new(false, false),
    ];
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        if c == '\n' {
            return None;
        }
        if c == delimiter && !escaped {
            return readers.iter().all(|r| r.place == Place::Outside).then(|| rest.get(..at)).flatten();
        }
        readers.iter_mut().for_each(|r| r.step(c, escaped));
        escaped = c == '\\' && !escaped;
    }
    None
}

/// One way of reading bracket expressions.
struct Reader {
    place: Place,
    /// `]` right after `[` or `[^` is a member.
    first_is_member: bool,
    /// A backslash between brackets takes the next character's meaning away.
    backslash_escapes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// Right after `[`.
    Opened,
    /// Right after `[^`.
    Negated,
    Inside,
    /// Right after a `[` inside.
    InsideOpened,
    /// In `[:`, `[.` or `[=`.
    Named(char),
    /// At what may be the end of it.
    NamedEnd(char),
}

impl Reader {
    fn new(first_is_member: bool, backslash_escapes: bool) -> Self {
        Self { place: Place::Outside, first_is_member, backslash_escapes }
    }

    fn step(&mut self, c: char, escaped: bool) {
        let literal = escaped && self.backslash_escapes;
        self.place = match (self.place, c) {
            (Place::Outside, '[') if !escaped => Place::Opened,
            (Place::Outside, _) => Place::Outside,
            (Place::Opened, '^') if !literal => Place::Negated,
            (Place::Opened | Place::Negated, ']') if self.first_is_member => Place::Inside,
            (Place::Opened | Place::Negated | Place::Inside, ']') if !literal => Place::Outside,
            (Place::InsideOpened, ':' | '.' | '=') if !literal => Place::Named(c),
            (Place::InsideOpened, ']') if !literal => Place::Outside,
            (Place::Opened | Place::Negated | Place::Inside | Place::InsideOpened, '[') if !literal => {
                Place::InsideOpened
            }
            (Place::Opened | Place::Negated | Place::Inside | Place::InsideOpened, _) => Place::Inside,
            (Place::Named(kind) | Place::NamedEnd(kind), _) if c == kind => Place::NamedEnd(kind),
            (Place::NamedEnd(_), ']') => Place::Inside,
            (Place::Named(kind) | Place::NamedEnd(kind), _) => Place::Named(kind),
        };
    }
}
