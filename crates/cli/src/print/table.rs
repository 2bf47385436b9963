//! Columns of text by the rule of Go's `text/tabwriter`, which our tables must follow to the blank.

/// Lays out cells that end with a tab.
///
/// A cell that a tab ends is as wide as the widest such cell of the neighbouring lines that have this column, plus
/// `padding`. What follows the last tab of a line is no column and stays as it is. Widths are counted in characters,
/// escape sequences included.
pub fn align(text: &str, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let columns = lines.iter().map(|cells| cells.len() - 1).max().unwrap_or(0);
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len() - 1]).collect();
    for column in 0..columns {
        let mut start = 0;
        while start < lines.len() {
            let has = |line: &usize| lines[*line].len() - 1 > column;
            let end = (start..lines.len())
                .find(|line| !has(line))
                .unwrap_or(lines.len());
            let width = (start..end)
                .map(|line| count(lines[line][column]))
                .max()
                .unwrap_or(0)
                + padding;
            for widths in &mut widths[start..end] {
                widths[column] = width;
            }
            start = end.max(start + 1);
        }
    }
    let join = |(cells, widths): (&Vec<&str>, &Vec<usize>)| {
        let padded = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| pad(cell, *width))
            .collect::<String>();
        padded + cells.last().copied().unwrap_or_default()
    };
    lines.iter().zip(&widths).map(join).collect::<Vec<_>>().join("\n")
}

/// The text, followed by blanks up to `width` characters.
pub fn pad(text: &str, width: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(count(text))));
    out
}

fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn a_last_cell_without_a_tab_is_not_padded() {
        assert_eq!(align("A\tBB\nlong\tx\n", 3), "A      BB\nlong   x\n");
    }

    #[test]
    fn an_empty_column_is_as_wide_as_its_padding() {
        assert_eq!(align("a\t\tb\n", 2), "a    b\n");
    }

    #[test]
    fn a_line_without_tabs_ends_the_columns() {
        assert_eq!(
            align("wide cell\tx\nbreak\na\tx\n", 1),
            "wide cell x\nbreak\na x\n"
        );
    }
}
