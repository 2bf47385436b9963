//! Which starts are due: each schedule's next time, and times that were missed (C-CRON-02, C-CRON-20).

use argosy_model::CronWorkflow;
use argosy_template::cron::Schedule;
use jiff::{SignedDuration, Timestamp};

use super::{LAST_SCHEDULE, Snapshot};

/// By how much a clock may be set back before times that were armed by it are forgotten. Below it, no schedule runs
/// twice at the same time of day.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(1);

/// What one decision remembers for the next: when each schedule is due. It is lost with the process, after which only
/// starts within `startingDeadlineSeconds` are made up for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The schedules that the times belong to.
    schedules: String,
    /// When each of them is due next.
    next: Vec<Option<Timestamp>>,
    /// The latest time that was started or failed to: it is not tried again as a missed one.
    settled: Option<Timestamp>,
}

impl Memory {
    /// When the next start is due.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.next.iter().flatten().min().copied()
    }

    pub(super) fn settle(&mut self, time: Timestamp) {
        self.settled = self.settled.max(Some(time));
    }
}

/// When a CronWorkflow runs next; `None` when a schedule can't be read or none comes within five years.
#[must_use]
pub fn next_time(cron: &CronWorkflow, now: Timestamp) -> Option<Timestamp> {
    let times: Option<Vec<Timestamp>> = schedules(cron)?.iter().map(|s| s.next(now)).collect();
    times?.into_iter().min()
}

/// The schedules as the annotation holds them: each with its time zone, divided by commas.
pub(super) fn text(cron: &CronWorkflow) -> String {
    let zone = &cron.spec.timezone;
    let zoned = |schedule: &String| match zone.as_str() {
        "" => schedule.clone(),
        zone => format!("CRON_TZ={zone} {schedule}"),
    };
    cron.spec
        .schedules
        .iter()
        .map(zoned)
        .collect::<Vec<_>>()
        .join(",")
}

fn schedules(cron: &CronWorkflow) -> Option<Vec<Schedule>> {
    let zone = &cron.spec.timezone;
    let parsed = cron
        .spec
        .schedules
        .iter()
        .map(|s| Schedule::parse_in(s, zone).ok());
    parsed.collect()
}

/// The times at which a start is due now, oldest first, and what to remember.
pub(super) fn due(seen: &Snapshot<'_>, now: Timestamp) -> (Vec<Timestamp>, Memory) {
    let text = text(seen.cron);
    let Some(schedules) = schedules(seen.cron) else {
        return (Vec::new(), Memory::default());
    };
    let old = seen.memory.filter(|m| m.schedules == text);
    let mut times = Vec::new();
    let mut memory = Memory {
        schedules: text,
        next: Vec::new(),
        settled: seen.memory.and_then(|m| m.settled),
    };
    for (index, schedule) in schedules.iter().enumerate() {
        let armed = old.and_then(|m| m.next.get(index).copied());
        let next = match armed {
            Some(Some(at)) if at <= now => {
                // Whoever slept over several starts makes up for the last one.
                let before = at - SignedDuration::from_secs(1);
                times.push(latest(schedule, before, now).unwrap_or(at).max(at));
                schedule.next(now)
            }
            // Armed by a clock that was far ahead: nothing would run until that time comes.
            Some(Some(at))
                if schedule
                    .next(now)
                    .is_some_and(|next| at.duration_since(next) > CLOCK_SLACK) =>
            {
                schedule.next(now)
            }
            Some(later) => later,
            None => schedule.next(now),
        };
        memory.next.push(next);
    }
    if times.is_empty() {
        let settled = memory.settled;
        times.extend(
            missed(seen, &memory.schedules, &schedules, now).filter(|t| settled.is_none_or(|s| *t > s)),
        );
    }
    times.sort_unstable();
    times.dedup();
    (times, memory)
}

/// The start that was missed and may still be made up for (C-CRON-20): of the first schedule that has one.
fn missed(seen: &Snapshot<'_>, text: &str, schedules: &[Schedule], now: Timestamp) -> Option<Timestamp> {
    let cron = seen.cron;
    let same = cron
        .metadata
        .annotations
        .get(LAST_SCHEDULE)
        .is_some_and(|used| used == text);
    let last = cron.status.last_scheduled_time?.0;
    let deadline = SignedDuration::from_secs(cron.spec.starting_deadline_seconds?);
    if !same {
        return None;
    }
    schedules.iter().find_map(|schedule| {
        let time = latest(schedule, last, now)?;
        (now <= time.checked_add(deadline).ok()?).then_some(time)
    })
}

/// The latest time of a schedule after `after` and not after `now`. Looks back in growing steps, so that its cost
/// does not depend on how long ago `after` is.
fn latest(schedule: &Schedule, after: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let mut back = SignedDuration::from_hours(1);
    loop {
        let start = now.checked_sub(back).map_or(after, |t| t.max(after));
        let mut found = None;
        let mut at = start;
        while let Some(next) = schedule.next(at).filter(|t| *t <= now) {
            found = Some(next);
            at = next;
        }
        if found.is_some() || start <= after {
            return found;
        }
        back *= 4;
    }
}
