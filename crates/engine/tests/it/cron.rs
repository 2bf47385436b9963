//! Schedules that can and can't be read (C-CRON-02).

use argosy_engine::cron::schedule::Schedule;

fn check(text: &str, expected: Result<(), &str>) {
    let got = Schedule::parse(text)
        .map(|_| ())
        .map_err(|error| error.to_string());
    assert_eq!(got, expected.map_err(str::to_owned), "{text}");
}

#[test]
fn fields_descriptors_and_zones_are_read() {
    for text in [
        "* * * * *",
        "*/15 1-5 1,15 jan-mar MON",
        "0 0 ? * SUN-SAT",
        "@daily",
        "@every 1h30m",
        "CRON_TZ=Europe/Berlin 0 6 * * *",
        "TZ=UTC @hourly",
    ] {
        check(text, Ok(()));
    }
}

#[test]
fn wrong_schedules_say_what_is_wrong() {
    check("", Err("empty spec string"));
    check("* * * *", Err("expected exactly 5 fields, found 4: [* * * *]"));
    check("60 * * * *", Err("end of range (60) above maximum (59): 60"));
    check("* * 0 * *", Err("beginning of range (0) below minimum (1): 0"));
    check(
        "5-3 * * * *",
        Err("beginning of range (5) beyond end of range (3): 5-3"),
    );
    check(
        "*/0 * * * *",
        Err("step of range should be a positive number: */0"),
    );
    check("1-2-3 * * * *", Err("too many hyphens: 1-2-3"));
    check("1/2/3 * * * *", Err("too many slashes: 1/2/3"));
    check(
        "L * * * *",
        Err("failed to parse int from L: strconv.Atoi: parsing \"L\": invalid syntax"),
    );
    check("@reboot", Err("unrecognized descriptor: @reboot"));
    check(
        "CRON_TZ=Mars/X * * * * *",
        Err("provided bad location Mars/X: unknown time zone Mars/X"),
    );
    // The peer crashes here.
    check("CRON_TZ=UTC", Err("no fields after the time zone"));
}

#[test]
fn a_day_counts_alone_when_the_weekday_is_a_star() {
    let Ok(Schedule::Fields(fields)) = Schedule::parse("0 0 13 * */2") else {
        panic!("fields")
    };
    assert!(!fields.any_day);
    assert!(!fields.any_weekday, "a star with a step is a restriction");
    assert_eq!(fields.weekdays, 0b101_0101);
}
