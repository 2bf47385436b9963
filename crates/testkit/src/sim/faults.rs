//! What goes wrong in a simulation, and how often.

/// Chances of faults. All zero: nothing goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// How late events are at most, in milliseconds.
    pub late_millis: u64,
    /// Events told twice, of 1,000.
    pub repeated: u64,
    /// Watches that break, of 1,000 events: what was not delivered is lost until the next list.
    pub broken_watches: u64,
    /// Calls that fail, half of them although they did what they were asked for, of 1,000.
    pub calls: u64,
    /// Crashes of the controller, of 1,000 boundaries between two effects.
    pub crashes: u64,
    /// Writes of somebody else between a decision and its storing, of 1,000.
    pub conflicts: u64,
    /// Jumps of the controller's clock in a run, at most.
    pub clock_jumps: u64,
    /// Pods deleted by somebody, of 1,000.
    pub deleted_pods: u64,
    /// Pods whose node vanishes, of 1,000: they fail as evicted without a result.
    pub lost_nodes: u64,
    /// Results that come after their pod's end, of 1,000.
    pub late_results: u64,
    /// Results that never come, of 1,000.
    pub missing_results: u64,
    /// Whether people suspend, stop, terminate and retry.
    pub people: bool,
}

impl Faults {
    /// Faults that must not change what a workflow comes to.
    #[must_use]
    pub fn harmless() -> Self {
        Self {
            late_millis: 4_000,
            repeated: 60,
            broken_watches: 15,
            calls: 60,
            crashes: 15,
            conflicts: 40,
            late_results: 150,
            ..Self::default()
        }
    }

    /// Faults that change what it comes to.
    #[must_use]
    pub fn harmful() -> Self {
        Self {
            clock_jumps: 2,
            deleted_pods: 60,
            lost_nodes: 50,
            missing_results: 60,
            people: true,
            ..Self::harmless()
        }
    }
}

/// How often each fault really happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Injected {
    /// Events delivered late or in another order.
    pub late: u64,
    /// Events told twice.
    pub repeated: u64,
    /// Watches that broke.
    pub broken_watches: u64,
    /// Calls that failed without an effect.
    pub failed_calls: u64,
    /// Calls that did what they were asked for and failed.
    pub half_done_calls: u64,
    /// Crashes.
    pub crashes: u64,
    /// Writes by somebody else in between.
    pub conflicts: u64,
    /// Jumps of the clock.
    pub clock_jumps: u64,
    /// Pods deleted.
    pub deleted_pods: u64,
    /// Nodes lost.
    pub lost_nodes: u64,
    /// Late results.
    pub late_results: u64,
    /// Results that never came.
    pub missing_results: u64,
    /// Actions of people.
    pub people: u64,
}

impl Injected {
    /// Names and numbers, for reports.
    #[must_use]
    pub fn rows(&self) -> [(&'static str, u64); 13] {
        [
            ("events late or reordered", self.late),
            ("events told twice", self.repeated),
            ("broken watches", self.broken_watches),
            ("failed calls", self.failed_calls),
            ("half-done calls", self.half_done_calls),
            ("crashes", self.crashes),
            ("conflicting writes", self.conflicts),
            ("clock jumps", self.clock_jumps),
            ("pods deleted", self.deleted_pods),
            ("nodes lost", self.lost_nodes),
            ("late results", self.late_results),
            ("missing results", self.missing_results),
            ("actions of people", self.people),
        ]
    }

    /// Adds the numbers of another run.
    pub fn add(&mut self, other: &Self) {
        let Self {
            late,
            repeated,
            broken_watches,
            failed_calls,
            half_done_calls,
            crashes,
            conflicts,
            clock_jumps,
            deleted_pods,
            lost_nodes,
            late_results,
            missing_results,
            people,
        } = other;
        self.late += late;
        self.repeated += repeated;
        self.broken_watches += broken_watches;
        self.failed_calls += failed_calls;
        self.half_done_calls += half_done_calls;
        self.crashes += crashes;
        self.conflicts += conflicts;
        self.clock_jumps += clock_jumps;
        self.deleted_pods += deleted_pods;
        self.lost_nodes += lost_nodes;
        self.late_results += late_results;
        self.missing_results += missing_results;
        self.people += people;
    }
}
