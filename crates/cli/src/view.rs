//! Views of workflows that are being followed: drawn on a terminal, or line by line into a file or pipe.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argosy_model::Workflow;

use crate::follow::View;
use crate::logs::Line;
use crate::print::glyph::log_line;
use crate::print::progress::{Changes, frame, summary};
use crate::print::{Clock, Style, why};

/// A tree that is drawn in place, with the logs scrolling above it.
pub struct Live<W> {
    out: W,
    style: Style,
    workflows: BTreeMap<String, Workflow>,
    /// Set once the user asked to stop.
    stopping: Arc<AtomicBool>,
    drawn: usize,
    /// A write failed: the terminal is gone and nothing more is written.
    broken: bool,
}

impl<W: Write> Live<W> {
    /// A view on a terminal.
    pub fn new(out: W, style: Style, stopping: Arc<AtomicBool>) -> Self {
        Self {
            out,
            style,
            workflows: BTreeMap::new(),
            stopping,
            drawn: 0,
            broken: false,
        }
    }

    fn draw(&mut self, above: &str, lines: &[String]) {
        if self.broken {
            return;
        }
        let mut text = String::new();
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A\r\x1b[J", self.drawn));
        }
        text.push_str(above);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = lines.len();
        self.broken = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush())
            .is_err();
    }

    fn redraw(&mut self, above: &str) {
        let (width, height) = size();
        let clock = Clock::system();
        let each = height.saturating_sub(2) / self.workflows.len().max(1);
        let mut lines: Vec<String> = self
            .workflows
            .values()
            .flat_map(|w| frame(w, &clock, self.style, width, each.max(3)))
            .collect();
        lines.truncate(height.saturating_sub(2).max(1));
        if self.stopping.load(Ordering::Relaxed) {
            lines.push("stopping; Ctrl-C again leaves at once".to_owned());
        }
        self.draw(above, &lines);
    }
}

impl<W: Write> View for Live<W> {
    fn changed(&mut self, workflow: &Workflow) {
        self.workflows
            .insert(workflow.metadata.name.clone(), workflow.clone());
        self.redraw("");
    }

    fn line(&mut self, line: &Line) {
        let text = log_line(&line.pod, &line.content, self.style.colour) + "\n";
        self.redraw(&text);
    }

    fn note(&mut self, text: &str) {
        self.redraw(text);
    }

    fn tick(&mut self) {
        self.redraw("");
    }

    fn ended(&mut self) {
        let clock = Clock::system();
        let lines: Vec<String> = self
            .workflows
            .values()
            .flat_map(|w| summary(w, &clock, self.style))
            .collect();
        self.draw("", &lines);
        self.drawn = 0;
    }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    let size =
        rustix::termios::tcgetwinsize(io::stdout()).or_else(|_| rustix::termios::tcgetwinsize(io::stderr()));
    match size {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// One line for each change and each line of a log.
pub struct Plain<W> {
    out: W,
    style: Style,
    changes: Changes,
    broken: bool,
}

impl<W: Write> Plain<W> {
    /// A view into a file or pipe.
    pub fn new(out: W, style: Style) -> Self {
        Self {
            out,
            style,
            changes: Changes::default(),
            broken: false,
        }
    }

    fn say(&mut self, line: &str) {
        if !self.broken {
            self.broken = writeln!(self.out, "{line}")
                .and_then(|()| self.out.flush())
                .is_err();
        }
    }
}

impl<W: Write> View for Plain<W> {
    fn changed(&mut self, workflow: &Workflow) {
        for line in self.changes.lines(workflow, &Clock::system(), self.style) {
            self.say(&line);
        }
    }

    fn line(&mut self, line: &Line) {
        let text = log_line(&line.pod, &line.content, self.style.colour);
        self.say(&text);
    }
}

/// Shows nothing but logs.
pub struct Quiet<W> {
    out: W,
    style: Style,
}

impl<W: Write> Quiet<W> {
    /// A view that shows the logs alone.
    pub fn new(out: W, style: Style) -> Self {
        Self { out, style }
    }
}

impl<W: Write> View for Quiet<W> {
    fn changed(&mut self, _: &Workflow) {}

    fn line(&mut self, line: &Line) {
        // A reader that went away wants no more lines; the workflow goes on.
        let _ = writeln!(
            self.out,
            "{}",
            log_line(&line.pod, &line.content, self.style.colour)
        );
    }
}

/// Another view, and advice for pods that cannot run on this machine as it is: each piece once.
pub struct Advising {
    inner: Box<dyn View>,
    given: BTreeSet<&'static str>,
}

impl Advising {
    /// A view that advises besides.
    pub fn new(inner: Box<dyn View>) -> Self {
        let given = BTreeSet::new();
        Self { inner, given }
    }
}

impl View for Advising {
    fn changed(&mut self, workflow: &Workflow) {
        self.inner.changed(workflow);
        let nodes = workflow.status.nodes.values();
        for node in nodes.filter(|node| !node.phase.is_completed()) {
            if let Some(advice) = why::advice(&node.message)
                && self.given.insert(advice)
            {
                self.inner.note(&format!("hint: {advice}\n"));
            }
        }
    }

    fn line(&mut self, line: &Line) {
        self.inner.line(line);
    }

    fn note(&mut self, text: &str) {
        self.inner.note(text);
    }

    fn tick(&mut self) {
        self.inner.tick();
    }

    fn ended(&mut self) {
        self.inner.ended();
    }
}
