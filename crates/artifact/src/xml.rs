//! As much XML as stores answer with: elements with text in them, found by name. No attributes,
//! namespaces or definitions, which none of them needs.

/// The contents of all elements with a name, in order. Elements of one name within each other are
/// not told apart.
pub(crate) fn all<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((inner, after)) = first(rest, name) {
        found.push(inner);
        rest = after;
    }
    found
}

/// The text of the first element with a name.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    first(xml, name).map(|(inner, _)| unescape(inner))
}

/// The content of the first element with a name, and what comes after it.
fn first<'a>(xml: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let mut rest = xml;
    loop {
        let start = rest.find('<')?;
        let tag = &rest[start + 1..];
        let end = tag.find('>')?;
        let after = &tag[end + 1..];
        let is_wanted = tag[..end]
            .strip_prefix(name)
            .is_some_and(|more| more.is_empty() || more.starts_with([' ', '/', '\t', '\n', '\r']));
        if !is_wanted {
            rest = after;
            continue;
        }
        if tag[..end].ends_with('/') {
            return Some(("", after));
        }
        let close = format!("</{name}>");
        let at = after.find(&close)?;
        return Some((&after[..at], &after[at + close.len()..]));
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';') else { break };
        match character(&rest[1..end]) {
            Some(character) => out.push(character),
            None => out.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// A text as it stands between tags.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        let xml = "<?xml version=\"1.0\"?><R a=\"1\"><Blobs><Blob><Name>a&amp;b&#x41;</Name></Blob>\
                   <Blob><Name/></Blob></Blobs><NextMarker /><Broken>";
        assert_eq!(all(xml, "Blob").len(), 2);
        assert_eq!(text(xml, "Name").as_deref(), Some("a&bA"));
        assert_eq!(text(all(xml, "Blob")[1], "Name").as_deref(), Some(""));
        assert_eq!(text(xml, "NextMarker").as_deref(), Some(""));
        assert_eq!(text(xml, "Broken"), None);
        assert_eq!(text("<a>&unknown; &", "a"), None);
        assert_eq!(text("<a>&unknown; &</a>", "a").as_deref(), Some("&unknown; &"));
    }
}
