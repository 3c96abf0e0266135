//! A text as it looks: look-alike letters and brackets folded, invisible characters left out, every character with its place.

/// Which brackets are folded to `<` and `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brackets {
    /// ASCII and full-width, three on each side, nothing between them and the name but an id.
    Recorded,
    /// Everything that looks like an angle bracket, any number of them, with space between.
    LookAlike,
}

/// One folded character and the bytes it stands for.
struct Place {
    c: char,
    start: usize,
    end: usize,
}

pub(super) struct Folded {
    places: Vec<Place>,
    brackets: Brackets,
}

/// A marker: the bytes it covers.
pub(super) struct Marker {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) closing: bool,
}

impl Folded {
    pub(super) fn new(text: &str, brackets: Brackets) -> Self {
        let visible = text.char_indices().filter(|(_, c)| !is_invisible(*c));
        let places = visible
            .map(|(start, c)| Place { c: fold(c, brackets), start, end: start + c.len_utf8() })
            .collect();
        Self { places, brackets }
    }

    fn at(&self, index: usize) -> Option<char> {
        self.places.get(index).map(|p| p.c)
    }

    /// All markers with this name (lower case), in order, not overlapping.
    pub(super) fn markers(&self, name: &str) -> Vec<Marker> {
        let mut found = Vec::new();
        let mut i = 0;
        while i < self.places.len() {
            match self.marker_at(i, name) {
                Some((after, closing)) => {
                    if let (Some(first), Some(last)) = (self.places.get(i), self.places.get(after - 1)) {
                        found.push(Marker { start: first.start, end: last.end, closing });
                    }
                    i = after;
                }
                // In a run of brackets the last ones count.
                None => i += 1,
            }
        }
        found
    }

    /// A marker that starts at `i`: the index after it, and whether it is a closing one.
    fn marker_at(&self, i: usize, name: &str) -> Option<(usize, bool)> {
        let strict = self.brackets == Brackets::Recorded;
        let mut at = self.run(i, '<', 3)?;
        if !strict {
            at = self.space(at);
        }
        let closing = self.word(at, "end_");
        at = closing.unwrap_or(at);
        at = self.word(at, name)?;
        at = self.id(at);
        at = if strict { at } else { self.space(at) };
        let at = self.run(at, '>', 3)?;
        Some((at, closing.is_some()))
    }

    /// Three brackets, or in the loose reading one to sixteen.
    fn run(&self, at: usize, bracket: char, count: usize) -> Option<usize> {
        let most = if self.brackets == Brackets::Recorded { count } else { 16 };
        let least = if self.brackets == Brackets::Recorded { count } else { 1 };
        let there = (0..most).take_while(|n| self.at(at + n) == Some(bracket)).count();
        (there >= least).then_some(at + there)
    }

    fn space(&self, at: usize) -> usize {
        let there = (0..16).take_while(|n| self.at(at + n).is_some_and(char::is_whitespace)).count();
        at + there
    }

    fn word(&self, at: usize, word: &str) -> Option<usize> {
        word.chars().enumerate().all(|(n, c)| self.at(at + n) == Some(c)).then(|| at + word.chars().count())
    }

    /// An id after the name, if there is one.
    fn id(&self, at: usize) -> usize {
        let start = self.space(at);
        let Some(from) = self.word(start, "id=\"").filter(|_| start > at) else { return at };
        (from..from + 129).find(|n| self.at(*n) == Some('"')).map_or(at, |quote| quote + 1)
    }
}

pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

fn fold(c: char, brackets: Brackets) -> char {
    match c {
        // Full-width ASCII stands in the same order.
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c).to_ascii_lowercase()
        }
        c if c.is_ascii() => c.to_ascii_lowercase(),
        // CJK, mathematical, technical, small, quotation marks, ornaments, arrow heads, comparison signs.
        '\u{3008}' | '\u{300a}' | '\u{27e8}' | '\u{27ea}' | '\u{2329}' | '\u{fe64}' | '\u{2039}'
        | '\u{ab}' | '\u{276c}' | '\u{276e}' | '\u{2770}' | '\u{29fc}' | '\u{2c2}' | '\u{226a}'
        | '\u{22d8}' | '\u{fe3d}' | '\u{fe3f}' | '\u{1438}'
            if brackets == Brackets::LookAlike =>
        {
            '<'
        }
        '\u{3009}' | '\u{300b}' | '\u{27e9}' | '\u{27eb}' | '\u{232a}' | '\u{fe65}' | '\u{203a}'
        | '\u{bb}' | '\u{276d}' | '\u{276f}' | '\u{2771}' | '\u{29fd}' | '\u{2c3}' | '\u{226b}'
        | '\u{22d9}' | '\u{fe3e}' | '\u{fe40}' | '\u{1433}'
            if brackets == Brackets::LookAlike =>
        {
            '>'
        }
        c => c,
    }
}
