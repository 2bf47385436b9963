//! Objects as JSON, indented as Go indents it.

use argosy_model::go_json;
use serde::Serialize;

/// The object as JSON with `indent` blanks a level, without a newline at the end.
///
/// # Errors
/// When the object can't be written as JSON, which no wire type does.
pub fn to_string<T: Serialize + ?Sized>(object: &T, indent: usize) -> Result<String, serde_json::Error> {
    Ok(indented(&go_json::to_string(object)?, indent))
}

/// Breaks compact JSON into lines; empty lists and objects stay on theirs.
fn indented(compact: &str, indent: usize) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut characters = compact.chars().peekable();
    let break_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth * indent));
    };
    while let Some(c) = characters.next() {
        if in_text {
            out.push(c);
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(close) = characters.next_if(|n| matches!(n, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    break_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn brackets_inside_text_do_not_count() {
        assert_eq!(
            indented(r#"{"a":"}\",{","b":[],"c":[1]}"#, 2),
            "{\n  \"a\": \"}\\\",{\",\n  \"b\": [],\n  \"c\": [\n    1\n  ]\n}"
        );
    }
}
