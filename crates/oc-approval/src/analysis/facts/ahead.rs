//! What is still to be walked of a path: the word, the directory before it, and the links met on the way.

/// The rest of a path, the nearest part last.
pub(super) struct Ahead<'p> {
    /// The word and its directory; `None` when it was walked to its end.
    given: [Option<&'p str>; 2],
    /// Targets of links, each with the place where its rest begins.
    links: Vec<(String, Option<usize>)>,
}

/// One component further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is none.
    Over,
    /// An empty component or `.`.
    Here,
    /// `..`: the path was shortened.
    Up,
    /// A name: it was added to the path.
    Into,
}

impl<'p> Ahead<'p> {
    pub(super) fn new(directory: &'p str, word: &'p str) -> Self {
        Self { given: [Some(word), Some(directory)], links: Vec::new() }
    }

    /// A link was met: its target comes first.
    pub(super) fn link(&mut self, target: &str) {
        self.links.push((target.to_owned(), Some(0)));
    }

    /// Whether nothing follows, not even an empty component.
    pub(super) fn is_over(&self) -> bool {
        self.given.iter().all(Option::is_none) && self.links.iter().all(|(_, rest)| rest.is_none())
    }

    /// Takes the next component and does to the path what it says.
    pub(super) fn step(&mut self, at: &mut String) -> Step {
        while let Some((target, rest)) = self.links.last_mut() {
            if let Some(start) = *rest {
                let (name, after) = first(target.get(start..).unwrap_or_default());
                *rest = after.map(|_| start + name.len() + 1);
                return apply(name, at);
            }
            self.links.pop();
        }
        for given in self.given.iter_mut().rev() {
            if let Some(text) = *given {
                let (name, after) = first(text);
                *given = after;
                return apply(name, at);
            }
        }
        Step::Over
    }

    /// The whole path by its spelling, from a place that leads nowhere.
    pub(super) fn spelled(mut self, mut at: String) -> String {
        while self.step(&mut at) != Step::Over {}
        if at.is_empty() {
            at.push('/');
        }
        at
    }
}

/// The first component and what follows its `/`.
fn first(text: &str) -> (&str, Option<&str>) {
    // By bytes: components are short, and a search that pays off for long texts costs more than they do.
    match text.bytes().position(|b| b == b'/') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

fn apply(name: &str, at: &mut String) -> Step {
    match name {
        "" | "." => Step::Here,
        ".." => {
            super::path::up(at);
            Step::Up
        }
        name => {
            at.push('/');
            at.push_str(name);
            Step::Into
        }
    }
}
