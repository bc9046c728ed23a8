//! Owns where the columns of a table of rows stand: side by side; some under others, where the terminal is narrow for
//! them; or each value on a line of its own where they are too many.

use comfy_table::{ColumnConstraint, Row, Table, Width};

use super::output::is_narrow;

/// A column of fewer letters than this says nothing.
const LEAST_LETTERS: usize = 6;
/// Blanks behind a cell where there is room, beside the one before it and the one between two columns.
const BEHIND: u16 = 1;
/// What one copies out of a table to ask on is not cut.
const IDS: [&str; 2] = ["alert_id", "tenant_id"];
/// Values of no more letters than this, such as times without fractions, are cut last.
const FEW_LETTERS: usize = 19;
/// The columns that get twice the share of others.
const WORDY: [&str; 2] = ["title", "match"];
/// Columns of times: a day alone still says something, and half an hour does not.
const TIMES: [&str; 5] = ["last_update_time", "observed_at", "covered_until", "first_seen", "last_seen"];
/// What stands under what in a narrow list, where these columns are there.
const STACKS: [&[&str]; 15] = [
    &["title", "match", "alert_id"],
    &["tenant_name", "computer_dns_name"],
    &["severity", "status"],
    &["seq", "kind"],
    &["name", "tenant_id"],
    &["state", "region"],
    &["app", "tags"],
    &["alert_count", "open_gaps"],
    &["alerts", "devices"],
    &["value", "kind"],
    &["open high", "medium"],
    &["low", "info"],
    &["other", "open"],
    &["total", "created"],
    &["resolved", "median time"],
];
/// How columns are called in a narrow list, whose values are shorter than these names.
const SHORT: [(&str, &str); 7] = [
    ("last_update_time", "updated"),
    ("observed_at", "observed"),
    ("tenant_name", "tenant"),
    ("computer_dns_name", "device"),
    ("alert_count", "alerts"),
    ("open_gaps", "gaps"),
    ("covered_until", "covered"),
];

/// How a table is laid out, and what is known of its rows so far.
pub(super) struct Layout {
    names: Vec<String>,
    /// The columns of the table; none when each value stands on a line behind its name.
    columns: Option<Vec<Column>>,
    rows: usize,
}

/// A column of the table.
#[derive(Clone, Default)]
struct Column {
    /// The columns of the rows that stand in it, from above.
    holds: Vec<usize>,
    /// The letters of its heading.
    heading: usize,
    /// The letters of its longest id.
    id: usize,
    /// Whether it holds times alone.
    times: bool,
    /// How many shares of the room it gets.
    share: usize,
}

impl Layout {
    /// Puts the headings into the table, whose columns are called so; a list's columns were chosen to be seen together.
    pub(super) fn begin(table: &mut Table, names: Vec<String>, list: bool) -> Self {
        if !list && names.len() * (LEAST_LETTERS + 2) > width(table) {
            table.set_header(["column", "value"]);
            return Self { names, columns: None, rows: 0 };
        }
        let in_pairs = list && (is_narrow(table) || needed(&names) > width(table));
        let holding = if in_pairs { stacked(&names) } else { (0..names.len()).map(|at| vec![at]).collect() };
        let mut columns = Vec::with_capacity(holding.len());
        let mut headings = Vec::with_capacity(holding.len());
        for holds in holding {
            let lines: Vec<&str> = holds.iter().map(|at| called(&names[*at], in_pairs)).collect();
            let heading = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
            headings.push(lines.join("\n"));
            let share = if holds.iter().any(|at| WORDY.contains(&names[*at].as_str())) { 2 } else { 1 };
            let times = holds.iter().all(|at| TIMES.contains(&names[*at].as_str()));
            columns.push(Column { holds, heading, id: 0, times, share });
        }
        table.set_header(headings);
        Self { names, columns: Some(columns), rows: 0 }
    }

    /// Adds a row; a cell may have lines.
    pub(super) fn add(&mut self, table: &mut Table, cells: &[String]) {
        self.rows += 1;
        let Some(columns) = &mut self.columns else {
            table.add_row([format!("─ {} ─", self.rows), String::new()]);
            table.add_rows(self.names.iter().zip(cells).map(|(name, cell)| [name.clone(), cell.replace('\n', " ")]));
            return;
        };
        for column in columns.iter_mut() {
            let ids = column.holds.iter().filter(|at| IDS.contains(&self.names[**at].as_str()));
            column.id = ids.map(|at| cells[*at].chars().count()).fold(column.id, usize::max);
        }
        let lines = |column: &Column| -> Vec<String> {
            column.holds.iter().flat_map(|at| cells[*at].split('\n')).map(str::to_owned).collect()
        };
        // Each line is a row of the table, so that each is cut by itself.
        let mut columns: Vec<_> = columns.iter().map(|column| lines(column).into_iter()).collect();
        loop {
            let line: Vec<Option<String>> = columns.iter_mut().map(Iterator::next).collect();
            if line.iter().all(Option::is_none) {
                return;
            }
            let mut row = Row::from(line.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
    }

    /// Whether the cells of times have their day and their hour one under the other.
    pub(super) fn splits_times(&self) -> bool {
        self.columns.iter().flatten().any(|column| column.holds.len() > 1)
    }

    /// Gives the columns their widths.
    pub(super) fn end(&self, table: &mut Table) {
        let Some(columns) = &self.columns else { return };
        let wanted: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
        let padding = (1, if is_narrow(table) { 0 } else { BEHIND });
        let between = usize::from(padding.0 + padding.1) + 1;
        let room = (width(table) + 1).saturating_sub(between * columns.len());
        for (column, width) in table.column_iter_mut().zip(widths(&wanted, columns, room)) {
            let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(padding.0 + padding.1);
            column.set_padding(padding).set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
}

fn width(table: &Table) -> usize {
    table.width().map_or(usize::from(u16::MAX), usize::from)
}

fn called(name: &str, briefly: bool) -> &str {
    SHORT.iter().find(|(long, _)| briefly && *long == name).map_or(name, |(_, short)| short)
}

/// The widths of columns that want so much, in `room`.
///
/// Ids, short values and headings are not cut; where that leaves too little to the others, ids, times and headings; then ids
/// alone; or else nothing is spared.
fn widths(wanted: &[usize], columns: &[Column], room: usize) -> Vec<usize> {
    let least = |few: usize, spared: bool| -> Vec<usize> {
        let least = |(wanted, column): (&usize, &Column)| match column.id {
            id @ 1.. if spared => id.max(column.heading.min(few)),
            _ if *wanted <= few => *wanted,
            _ => column.heading.clamp(LEAST_LETTERS, few),
        };
        wanted.iter().zip(columns).map(least).collect()
    };
    let headings = |(wanted, column): (&usize, &Column)| match column.id {
        id @ 1.. => id.max(column.heading),
        _ if column.times => (*wanted).min(FEW_LETTERS),
        _ => (*wanted).min(column.heading.max(LEAST_LETTERS)),
    };
    let attempts = [
        least(FEW_LETTERS, true),
        wanted.iter().zip(columns).map(headings).collect(),
        least(LEAST_LETTERS, true),
        least(LEAST_LETTERS, false),
    ];
    let fitting = attempts.into_iter().find(|widths| widths.iter().sum::<usize>() <= room);
    let mut widths = fitting.unwrap_or_else(|| vec![1; wanted.len()]);
    // What is left goes letter by letter to the column that has least for its share.
    for _ in widths.iter().sum::<usize>()..room {
        let wanting = (0..widths.len()).filter(|at| widths[*at] < wanted[*at]);
        let Some(poorest) = wanting.min_by_key(|at| widths[*at] / columns[*at].share) else { break };
        widths[poorest] += 1;
    }
    widths
}

/// The width that these columns need beside each other so that most of them are not cut.
fn needed(names: &[String]) -> usize {
    const BETWEEN: usize = 2 + BEHIND as usize;
    let needs = |name: &str| match name {
        "alert_id" => 40,
        "tenant_id" => 36,
        "severity" => "Informational".len(),
        "status" => "Resolved".len(),
        _ if TIMES.contains(&name) => FEW_LETTERS,
        _ if WORDY.contains(&name) => 16,
        _ => name.chars().count().max(LEAST_LETTERS),
    };
    names.iter().map(|name| needs(name) + BETWEEN).sum()
}

/// The columns with those under others that belong there.
fn stacked(names: &[String]) -> Vec<Vec<usize>> {
    let at = |name: &&str| names.iter().position(|one| one == name);
    let mut stacks: Vec<Vec<usize>> = Vec::new();
    for stack in STACKS {
        let found: Vec<usize> = stack.iter().filter_map(at).collect();
        // `kind` is of a value as well as of a change; it stands where it came first.
        if found.len() > 1 && !found.iter().any(|one| stacks.iter().flatten().any(|other| other == one)) {
            stacks.push(found);
        }
    }
    let mut columns = Vec::new();
    for one in 0..names.len() {
        match stacks.iter().find(|stack| stack.contains(&one)) {
            Some(stack) if stack.iter().min() == Some(&one) => columns.push(stack.clone()),
            Some(_) => {}
            None => columns.push(vec![one]),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared() {
        let column = |id, share| Column { id, share, ..Column::default() };
        let with_id = [column(0, 1), column(20, 1), column(0, 1)];
        for (wanted, room, expected) in [
            // All fits; then ids and short values are spared; then ids; then nothing.
            ([5, 20, 9], 40, [5, 20, 9]),
            ([30, 20, 9], 40, [11, 20, 9]),
            ([30, 20, 14], 34, [7, 20, 7]),
            ([30, 20, 14], 24, [8, 8, 8]),
            ([30, 20, 14], 6, [2, 2, 2]),
        ] {
            assert_eq!(widths(&wanted, &with_id, room), expected, "{wanted:?} in {room}");
        }
        let wordy = [column(0, 1), Column { heading: 12, ..column(0, 1) }, column(0, 2)];
        assert_eq!(widths(&[90, 90, 90], &wordy, 40), [10, 12, 18]);
        assert!(widths(&[], &[], 80).is_empty());
    }

    #[test]
    fn columns_that_belong_together_are_stacked_in_their_order() {
        let names = ["severity", "status", "title", "x", "alert_id", "tenant_name"].map(str::to_owned);
        assert_eq!(stacked(&names), [vec![0, 1], vec![2, 4], vec![3], vec![5]]);
        let names = ["match", "alert_id", "kind", "title", "value"].map(str::to_owned);
        assert_eq!(stacked(&names), [vec![3, 0, 1], vec![4, 2]]);
    }

    #[test]
    fn times_and_headings_are_whole_before_long_values_are() {
        let column = |heading, times| Column { heading, times, share: 1, ..Column::default() };
        let columns = [Column { id: 40, ..column(8, false) }, column(16, true), column(11, false), column(5, false)];
        assert_eq!(widths(&[40, 19, 30, 60], &columns, 80), [40, 19, 11, 10]);
    }
}
