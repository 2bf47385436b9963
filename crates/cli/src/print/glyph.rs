//! Icons of phases and conditions, and the pieces that trees are drawn with.

use argosy_model::{ConditionType, NodePhase, NodeStatus, NodeType};

/// How text may be decorated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Draw with symbols; else with ASCII letters only.
    pub utf8: bool,
    /// Colour with escape sequences.
    pub colour: bool,
}

impl Style {
    /// Symbols without colour.
    pub const PLAIN: Self = Self {
        utf8: true,
        colour: false,
    };

    /// The published command line colours pipes as well; it stops at `TERM=dumb`, at `--no-color`, and with us at a
    /// non-empty `NO_COLOR`.
    pub fn from_environment(no_colour: bool, no_utf8: bool) -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|t| t == "dumb");
        let refused = std::env::var("NO_COLOR").is_ok_and(|t| !t.is_empty());
        Self {
            utf8: !no_utf8,
            colour: !(no_colour || dumb || refused),
        }
    }

    fn paint(self, text: &str, colour: Colour) -> String {
        if self.colour {
            format!("\x1b[{}m{text}\x1b[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }

    fn icon(self, symbol: &str, word: &str, colour: Colour) -> String {
        self.paint(if self.utf8 { symbol } else { word }, colour)
    }

    /// The icon of a phase; empty for a phase that has none.
    pub fn phase(self, phase: &NodePhase) -> String {
        match phase {
            NodePhase::Pending => self.icon("◷", "Pending", Colour::Yellow),
            NodePhase::Running => self.icon("●", "Running", Colour::Cyan),
            NodePhase::Succeeded => self.icon("✔", "Succeeded", Colour::Green),
            NodePhase::Skipped => self.icon("○", "Skipped", Colour::Default),
            NodePhase::Failed => self.icon("✖", "Failed", Colour::Red),
            NodePhase::Error => self.icon("⚠", "Error", Colour::Red),
            NodePhase::Omitted | NodePhase::Unset | NodePhase::Other(_) => String::new(),
        }
    }

    /// The icon of a node: that of its phase, or of a pause that waits for someone.
    pub fn node(self, node: &NodeStatus) -> String {
        if is_paused(node) {
            self.pause()
        } else {
            self.phase(&node.phase)
        }
    }

    /// The icon of an active pause.
    pub fn pause(self) -> String {
        self.icon("ǁ", "Suspend", Colour::Cyan)
    }

    /// The icon of a condition; empty for one that is no trouble.
    pub fn condition(self, condition: &ConditionType) -> String {
        match condition {
            ConditionType::MetricsError => self.icon("✖", "Error", Colour::Red),
            ConditionType::SpecWarning => self.icon("⚠", "Warning", Colour::Yellow),
            _ => String::new(),
        }
    }

    /// The pieces that a tree is drawn with.
    pub fn branches(self) -> &'static Branches {
        if self.utf8 { &LINES } else { &LETTERS }
    }
}

/// Whether the node is a pause that waits for someone or for its time.
pub fn is_paused(node: &NodeStatus) -> bool {
    node.type_ == NodeType::Suspend && node.phase == NodePhase::Running
}

/// Colours of the terminal by their escape codes.
#[derive(Clone, Copy)]
enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
    Default = 39,
}

/// Pieces of a tree.
pub struct Branches {
    /// Before a child that has later siblings.
    pub middle: &'static str,
    /// Before the last child.
    pub last: &'static str,
    /// Below a child that has later siblings.
    pub continued: &'static str,
    /// Before the only child of a row that is not shown.
    pub only: &'static str,
    /// Before the first of several children of a row that is not shown.
    pub first: &'static str,
}

static LINES: Branches = Branches {
    middle: "├─",
    last: "└─",
    continued: "│ ",
    only: "──",
    first: "┬─",
};
static LETTERS: Branches = Branches {
    middle: "|-",
    last: "`-",
    continued: "| ",
    only: "--",
    first: "+-",
};

/// A line of a pod's log, in the colour that its name gives it.
///
/// The colour is the sum of the name's code points modulo six, counted from green.
pub fn log_line(pod: &str, content: &str, colour: bool) -> String {
    let text = format!("{pod}: {content}");
    if !colour {
        return text;
    }
    let sum: u64 = pod.chars().map(|c| u64::from(u32::from(c))).sum();
    format!("\x1b[{}m{text}\x1b[0m", 32 + sum % 6)
}
