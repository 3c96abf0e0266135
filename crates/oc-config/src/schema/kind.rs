//! What a value may be: the building blocks of the vocabulary tables.
//!
//! The tables are `static` data built by `const fn`, so that looking at the vocabulary costs nothing at start-up.

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Anything, `null` included.
    Any,
    /// `true` or `false`.
    Bool,
    /// Exactly this boolean.
    Is(bool),
    /// Any text.
    Text,
    /// A text that is not empty.
    Filled,
    /// A text of a named form.
    Form(Form),
    /// A credential: text, or (product reading) a reference to the file or keychain entry that holds it.
    Secret,
    /// A number between two others, both included.
    Number(f64, f64),
    /// A number above another.
    Above(f64),
    /// A whole number between two others, both included.
    Integer(f64, f64),
    /// A port: 1 to 65535 (the era reading takes any number above 0).
    Port,
    /// One of a closed list of words.
    Word(&'static [&'static str]),
    /// One of a closed list of words that only the product's reading knows; an alternative inside [`Kind::Either`].
    ProductWord(&'static [&'static str]),
    /// A list.
    List(&'static Kind),
    /// An object with free keys.
    Map(&'static Kind),
    /// An object with exactly these keys.
    Object(&'static [Key]),
    /// An object with exactly the keys of these groups.
    Joined(&'static [&'static [Key]]),
    /// As [`Kind::Joined`] in the product's reading; in the era reading every other key is accepted unseen.
    Loose(&'static [&'static [Key]]),
    /// An object with these keys; others are accepted unseen.
    Open(&'static [Key]),
    /// An object with these keys; every other key is an entry of a kind.
    Entries(&'static [Key], &'static Kind),
    /// One of several kinds.
    Either(&'static [Kind]),
}

/// Which text form a [`Kind::Form`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `#rrggbb`, the `#` optional.
    HexColor,
    /// `+` and 2 to 15 digits, the first not 0.
    E164,
    /// An `http://` or `https://` address.
    HttpUrl,
    /// Lower-case letters, digits and dashes, starting with a letter or digit.
    ProfileName,
    /// A time span such as `30m`, `1h30m`, `45s`, `250ms`; a bare number counts in the key's own unit.
    Span,
    /// The name of a slash command: `/` optional, then 1 to 32 letters, digits and underscores.
    CommandName,
}

/// The named keys of an object and what becomes of other keys.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    own: &'static [Key],
    groups: &'static [&'static [Key]],
    /// What other keys mean.
    pub rest: Rest,
}

/// What keys mean that an object does not name.
#[derive(Clone, Copy, Debug)]
pub enum Rest {
    /// They are errors.
    Refused,
    /// They are errors in the product's reading and accepted in the era's.
    RefusedByProduct,
    /// They are accepted unseen.
    Accepted,
    /// They are entries of this kind.
    Entries(&'static Kind),
}

/// A default that the era release fills in while loading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'static str),
    /// An empty object, whose own defaults are filled in next.
    Object,
}

/// The values of a break-glass key that lower its guard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lowered {
    /// `true`.
    On,
    /// `false`.
    Off,
    /// This word, alone or in a list.
    Word(&'static str),
    /// Anything that is not empty.
    Filled,
}

/// One named key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Whether it holds a credential (SP-065).
    pub secret: bool,
    /// Whether setting it lowers a guard that is otherwise always up, and to what (SP-287).
    pub dangerous: Option<Lowered>,
    /// Whether only this product's reading knows it.
    pub product: bool,
    /// Whether the object is incomplete without it.
    pub required: bool,
    /// The default that the era release fills in.
    pub default: Option<Literal>,
}

/// Largest whole number that a double holds exactly, less one.
pub const MOST: f64 = 9_007_199_254_740_991.0;

/// Any value.
pub const ANY: Kind = Kind::Any;
/// `true` or `false`.
pub const BOOL: Kind = Kind::Bool;
/// Any text.
pub const TEXT: Kind = Kind::Text;
/// A text that is not empty.
pub const FILLED: Kind = Kind::Filled;
/// A credential.
pub const SECRET: Kind = Kind::Secret;
/// Any number.
pub const NUMBER: Kind = Kind::Number(f64::MIN, f64::MAX);
/// A whole number, at least 0.
pub const COUNT: Kind = Kind::Integer(0.0, MOST);
/// A whole number, at least 1.
pub const POSITIVE: Kind = Kind::Integer(1.0, MOST);
/// A number above 0.
pub const ABOVE_ZERO: Kind = Kind::Above(0.0);
/// A share between 0 and 1.
pub const SHARE: Kind = Kind::Number(0.0, 1.0);
/// A list of texts.
pub const TEXTS: Kind = Kind::List(&TEXT);
/// A text or a number: one entry of a sender list.
pub const ENTRY: Kind = Kind::Either(&[TEXT, NUMBER]);
/// A sender list.
pub const ENTRIES: Kind = Kind::List(&ENTRY);
/// Text by free keys.
pub const TEXT_MAP: Kind = Kind::Map(&TEXT);
/// An object whose content is not described.
pub const OPEN: Kind = Kind::Open(&[]);

/// A whole number in a range, ends included.
pub const fn integer(min: f64, max: f64) -> Kind {
    Kind::Integer(min, max)
}

/// A number in a range, ends included.
pub const fn number(min: f64, max: f64) -> Kind {
    Kind::Number(min, max)
}

/// One of these words.
pub const fn word(words: &'static [&'static str]) -> Kind {
    Kind::Word(words)
}

/// One of these words, in the product's reading only.
pub const fn product_word(words: &'static [&'static str]) -> Kind {
    Kind::ProductWord(words)
}

/// A text of a named form.
pub const fn form(form: Form) -> Kind {
    Kind::Form(form)
}

/// A list.
pub const fn list(of: &'static Kind) -> Kind {
    Kind::List(of)
}

/// An object with free keys.
pub const fn map(of: &'static Kind) -> Kind {
    Kind::Map(of)
}

/// An object with exactly these keys.
pub const fn object(keys: &'static [Key]) -> Kind {
    Kind::Object(keys)
}

/// An object with the keys of several groups.
pub const fn joined(groups: &'static [&'static [Key]]) -> Kind {
    Kind::Joined(groups)
}

/// An object with these keys, other keys accepted unseen.
pub const fn open(keys: &'static [Key]) -> Kind {
    Kind::Open(keys)
}

/// An object with these keys, every other key an entry of a kind.
pub const fn entries(keys: &'static [Key], rest: &'static Kind) -> Kind {
    Kind::Entries(keys, rest)
}

/// One of several kinds.
pub const fn either(of: &'static [Kind]) -> Kind {
    Kind::Either(of)
}

/// A key.
pub const fn key(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        secret: matches!(kind, Kind::Secret),
        dangerous: None,
        product: false,
        required: false,
        default: None,
    }
}

impl Key {
    /// Marks a credential.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Marks a break-glass key: a value like this lowers the guard.
    #[must_use]
    pub const fn dangerous(mut self, when: Lowered) -> Self {
        self.dangerous = Some(when);
        self
    }

    /// Marks a key that only this product's reading knows.
    #[must_use]
    pub const fn product(mut self) -> Self {
        self.product = true;
        self
    }

    /// Marks a key that must be there.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The default that the era release fills in.
    #[must_use]
    pub const fn default(mut self, value: Literal) -> Self {
        self.default = Some(value);
        self
    }
}

impl Kind {
    /// The named keys, when this is an object.
    #[must_use]
    pub const fn shape(&self) -> Option<Shape> {
        let (own, groups, rest): (&'static [Key], &'static [&'static [Key]], Rest) = match *self {
            Self::Object(own) => (own, &[], Rest::Refused),
            Self::Joined(groups) => (&[], groups, Rest::Refused),
            Self::Loose(groups) => (&[], groups, Rest::RefusedByProduct),
            Self::Open(own) => (own, &[], Rest::Accepted),
            Self::Entries(own, of) => (own, &[], Rest::Entries(of)),
            Self::Map(of) => (&[], &[], Rest::Entries(of)),
            _ => return None,
        };
        Some(Shape { own, groups, rest })
    }
}

impl Shape {
    /// Every named key.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.own.iter().chain(self.groups.iter().flat_map(|group| group.iter()))
    }

    /// The key of a name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|k| k.name == name)
    }
}
