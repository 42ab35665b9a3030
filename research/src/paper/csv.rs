//! The tables as CSV (RFC 4180).

use super::grid::Grid;

/// One table, its head first.
pub fn csv(grid: &Grid) -> String {
    let head = grid
        .head
        .iter()
        .map(|name| quoted(name))
        .collect::<Vec<_>>();
    let rows = grid.rows.iter();
    let rows = rows.map(|row| row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>());
    let lines = std::iter::once(head).chain(rows);
    let mut text = String::new();
    for cells in lines {
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// In quotation marks where a comma, a quotation mark or the end of a line stands in it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_a_comma_or_a_quotation_mark_stays_one_cell() {
        let grid = Grid {
            name: "x",
            title: "x",
            head: vec!["a", "b"],
            rows: vec![vec!["1, 2".to_owned(), "say \"no\"".to_owned()]],
        };

        assert_eq!(csv(&grid), "a,b\r\n\"1, 2\",\"say \"\"no\"\"\"\r\n");
    }
}
