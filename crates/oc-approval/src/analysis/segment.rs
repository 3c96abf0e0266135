//! One command of the line.

use oc_shell::{Command, Connector, Redirection, Word};

use super::Work;
use super::admit::Words;
use super::expand::Options;
use crate::environment::{SetBy, judge};
use crate::plan::{Expansion, Form, Miss, Redirect, Segment};
use crate::program_form;
use crate::safe_bin::reads::ReadRule;
use crate::safe_bin::usage::{Argument, Input, MadeBy};

impl Work<'_> {
    /// Analyses one command. The vector is complete even where it is a miss, so that a person sees it.
    pub(super) fn segment(
        &self,
        command: &Command,
        connector: Connector,
        position: usize,
    ) -> (Segment, Expansion) {
        let mut miss = None;
        let mut note = |found: Miss| {
            miss.get_or_insert(found);
        };
        let mut expansion = Expansion::None;
        let assignments: Vec<(String, String)> =
            command.assignments.iter().map(|a| (a.name.clone(), a.value.clone())).collect();
        for (name, value) in &assignments {
            if let Err(why) = judge(name, value, SetBy::Line) {
                note(Miss::new("assignment", why));
            }
        }
        let arguments = self.arguments(&command.words, &mut note, &mut expansion);
        let redirections: Vec<Redirect> = command
            .redirections
            .iter()
            .filter_map(|r| self.redirection(r, &mut note, &mut expansion))
            .collect();

        let argv: Vec<String> = arguments.iter().map(|a| a.text.clone()).collect();
        let word = argv.first().map_or("", String::as_str);
        let mut segment = Segment {
            connector,
            position,
            form: Form::Plain,
            inner: Vec::new(),
            assignments,
            redirections,
            executable: None,
            matched: None,
            miss: None,
            argv: Vec::new(),
        };
        match self.search.find(word) {
            Ok(found) => {
                segment.form = program_form::form(
                    &[&found.executable.path, &found.executable.canonical],
                    argv.get(1..).unwrap_or_default(),
                );
                let input = if position > 0 || segment.is_fed() { Input::Piped } else { Input::Empty };
                let words = Words { arguments: &arguments, argv: &argv };
                // Where wildcards found too much, nothing admits the command, so its words are not judged one by one.
                if self.ground.budget.is_used_up() {
                    note(self.ground.budget.too_many_comparisons());
                } else {
                    match self.admit(&found, words, input, &mut segment) {
                        Ok(by) => segment.matched = Some(by),
                        Err(why) => note(why),
                    }
                }
                segment.executable = Some(found.executable);
            }
            Err(why) => {
                segment.form = program_form::form(&[word], argv.get(1..).unwrap_or_default());
                note(why);
            }
        }
        if miss.is_some() {
            segment.matched = None;
        }
        segment.miss = miss;
        segment.argv = argv;
        (segment, expansion)
    }

    /// The command word and its expanded operands.
    fn arguments(
        &self,
        words: &[Word],
        note: &mut impl FnMut(Miss),
        expansion: &mut Expansion,
    ) -> Vec<Argument> {
        let mut out: Vec<Argument> = Vec::with_capacity(words.len());
        let mut options = Options::Open;
        for (at, word) in words.iter().enumerate() {
            let before = out.len();
            let made = if at == 0 {
                self.ground.plain(word).map(|argument| out.push(argument))
            } else {
                self.ground.operand(word, options, &mut out)
            };
            if let Err(miss) = made {
                note(miss);
                *expansion = Expansion::Expanded;
                let text = self.request.text.get(word.span.clone()).unwrap_or_default();
                out.push(Argument { text: text.to_owned(), made_by: MadeBy::Wildcard });
                continue;
            }
            let made = out.get(before..).unwrap_or_default();
            if made.iter().any(|a| a.made_by != MadeBy::Text) {
                *expansion = Expansion::Expanded;
            }
            if let [Argument { text, made_by: MadeBy::Text }] = made
                && text == "--"
            {
                options = Options::Ended;
            }
        }
        out
    }

    fn redirection(
        &self,
        redirection: &Redirection,
        note: &mut impl FnMut(Miss),
        expansion: &mut Expansion,
    ) -> Option<Redirect> {
        Some(match redirection {
            Redirection::OutToNull => Redirect::OutToNull,
            Redirection::ErrToNull => Redirect::ErrToNull,
            Redirection::ErrToOut => Redirect::ErrToOut,
            Redirection::OutToErr => Redirect::OutToErr,
            Redirection::From(word) => match self.ground.plain(word) {
                Ok(file) => {
                    if file.made_by == MadeBy::Home {
                        *expansion = Expansion::Expanded;
                    }
                    if let Err(why) = self.reads.read(&file.text) {
                        note(why);
                    }
                    Redirect::From(super::join(self.ground.directory, &file.text))
                }
                Err(why) => {
                    note(why);
                    return None;
                }
            },
        })
    }
}
