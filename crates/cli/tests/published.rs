//! The published command line: every command and every flag of it is understood. What each does is tested elsewhere.
#![cfg(feature = "connect")]

use argosy_cli::commands::Args;
use clap::CommandFactory;

/// A command a line, with its flags; `*` are those of every command.
const PUBLISHED: &str = include_str!("published-commands.txt");

/// What is not built yet, as docs/compatibility.md says, too.
const MISSING: &[&str] = &["executor-plugin", "server"];

fn flags(line: &str) -> Vec<(&str, Option<char>)> {
    line.split_whitespace()
        .filter(|word| word.starts_with("--"))
        .map(|word| {
            let (long, short) = word.split_once("/-").unwrap_or((word, ""));
            (long.trim_start_matches('-'), short.chars().next())
        })
        .collect()
}

#[test]
fn every_published_command_and_flag_is_understood() {
    let mut root = Args::command();
    root.build();
    let mut unknown = Vec::new();
    let mut global = Vec::new();
    for line in PUBLISHED.lines().filter(|l| !l.starts_with('#')) {
        if let Some(rest) = line.strip_prefix("* ") {
            global = flags(rest);
            continue;
        }
        let (names, rest) = line.split_once(':').expect("a command ends with a colon");
        let path: Vec<&str> = names
            .split('(')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        if MISSING.contains(&path[0]) {
            continue;
        }
        let found = path
            .iter()
            .try_fold(&root, |command, name| command.find_subcommand(name));
        let Some(command) = found else {
            unknown.push(path.join(" "));
            continue;
        };
        for (long, short) in flags(rest).into_iter().chain(global.iter().copied()) {
            // `node set` is written as an argument of `node` there.
            let mut all = command
                .get_arguments()
                .chain(command.get_subcommands().flat_map(|c| c.get_arguments()));
            let known = all.any(|argument| {
                argument.get_long() == Some(long) && short.is_none_or(|s| argument.get_short() == Some(s))
            });
            if !known {
                unknown.push(format!("{} --{long}", path.join(" ")));
            }
        }
    }
    assert!(unknown.is_empty(), "not understood: {unknown:#?}");
}
