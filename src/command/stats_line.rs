//! Owns the lines of `alertferry stats`: which figures go together, and how they look.

use super::stats::By;
use super::status::lag;
use crate::store::{COUNTED, Figures, TenantFigures, Value};

/// A tenant's name and id.
type Tenant<'a> = (&'a str, &'a str);

/// The figures of one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    tenant: Option<Tenant<'a>>,
    severity: Option<&'static str>,
    /// Open alerts by severity, in the order of [`COUNTED`] and the others last.
    open: [i64; COUNTED.len() + 1],
    total: i64,
    created: Vec<i64>,
    resolved_after: Vec<i64>,
}

/// What severities are called that are not counted by themselves.
const OTHER: &str = "other";
/// A line's bar is at most so long.
const LONGEST_BAR: usize = 8;
/// So many bars stand in a row at most; then each is for several days.
const MOST_BARS: usize = 30;
/// Bars from nothing to full.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The figures of all tenants, brought together.
pub(super) fn lines(tenants: &[TenantFigures], by: By) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    match by {
        By::Tenant => {
            for tenant in tenants {
                let mut line = Line { tenant: Some((&tenant.tenant_name, &tenant.tenant_id)), ..Line::default() };
                tenant.severities.iter().enumerate().for_each(|(rank, figures)| line.add(rank, figures));
                lines.push(line);
            }
            // Tenants come by name, and stay so where these are equal.
            lines.sort_by_key(|line| (-line.high(), -line.all_open(), -line.total));
        }
        By::Severity => {
            for rank in 0..=COUNTED.len() {
                let mut line = Line { severity: Some(severity(rank)), ..Line::default() };
                tenants.iter().for_each(|tenant| line.add(rank, &tenant.severities[rank]));
                lines.push(line);
            }
        }
        By::TenantSeverity => {
            for tenant in tenants {
                for (rank, figures) in tenant.severities.iter().enumerate().filter(|(_, figures)| figures.total > 0) {
                    let tenant = Some((tenant.tenant_name.as_str(), tenant.tenant_id.as_str()));
                    let mut line = Line { tenant, severity: Some(severity(rank)), ..Line::default() };
                    line.add(rank, figures);
                    lines.push(line);
                }
            }
        }
    }
    lines
}

/// The figures of all lines together.
pub(super) fn all<'a>(lines: &[Line<'a>]) -> Line<'a> {
    let mut all = Line { tenant: Some(("all", "")), severity: Some("all"), ..Line::default() };
    for line in lines {
        all.open.iter_mut().zip(&line.open).for_each(|(sum, open)| *sum += open);
        all.total += line.total;
        all.add_days(&line.created);
        all.resolved_after.extend(&line.resolved_after);
    }
    all
}

fn severity(rank: usize) -> &'static str {
    COUNTED.get(rank).copied().unwrap_or(OTHER)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The names of the columns of [`Line::values`].
pub(super) fn names(by: By) -> Vec<String> {
    let rest = ["total", "created", "created_by_day", "resolved", "median_seconds_to_resolve"];
    let by_severity = ["open", "open_high", "open_medium", "open_low", "open_informational", "open_other"];
    match by {
        By::Tenant => owned(&[&["tenant_name"], &by_severity[..], &rest, &["tenant_id"]].concat()),
        By::Severity => owned(&[&["severity", "open"][..], &rest].concat()),
        By::TenantSeverity => owned(&[&["tenant_name", "severity", "open"][..], &rest, &["tenant_id"]].concat()),
    }
}

/// The headings of [`Line::cells`].
pub(super) fn headings(by: By) -> Vec<String> {
    let rest = ["open", "total", "created", "by day", "resolved", "median time"];
    match by {
        By::Tenant => owned(&[&["tenant", "open high", "medium", "low", "info", "other"][..], &rest].concat()),
        By::Severity => owned(&[&["severity"][..], &rest].concat()),
        By::TenantSeverity => owned(&[&["tenant", "severity"][..], &rest].concat()),
    }
}

impl Line<'_> {
    /// Open alerts of the highest severity.
    pub(super) const fn high(&self) -> i64 {
        self.open[0]
    }

    fn all_open(&self) -> i64 {
        self.open.iter().sum()
    }

    fn add(&mut self, rank: usize, figures: &Figures) {
        self.open[rank] += figures.open;
        self.total += figures.total;
        self.add_days(&figures.created);
        self.resolved_after.extend(&figures.resolved_after);
    }

    fn add_days(&mut self, created: &[i64]) {
        self.created.resize(self.created.len().max(created.len()), 0);
        self.created.iter_mut().zip(created).for_each(|(sum, day)| *sum += day);
    }

    fn resolved(&self) -> i64 {
        i64::try_from(self.resolved_after.len()).unwrap_or(i64::MAX)
    }

    /// The figures for programs.
    pub(super) fn values(&self, by: By) -> Vec<Value> {
        let text = |text: &str| Value::Text(text.to_owned());
        let (name, id) = self.tenant.unwrap_or_default();
        let mut values = match by {
            By::Tenant => vec![text(name), Value::Integer(self.all_open())],
            By::Severity => vec![text(self.severity.unwrap_or_default()), Value::Integer(self.all_open())],
            By::TenantSeverity => {
                vec![text(name), text(self.severity.unwrap_or_default()), Value::Integer(self.all_open())]
            }
        };
        if by == By::Tenant {
            values.extend(self.open.map(Value::Integer));
        }
        values.extend([
            Value::Integer(self.total),
            Value::Integer(self.created.iter().sum()),
            Value::Text(serde_json::json!(self.created).to_string()),
            Value::Integer(self.resolved()),
            median(&self.resolved_after).map_or(Value::Null, Value::Integer),
        ]);
        if by != By::Severity {
            values.push(text(id));
        }
        values
    }

    /// The figures for people; the longest bar stands for `most` open alerts of high severity.
    pub(super) fn cells(&self, by: By, most: i64) -> Vec<Value> {
        let number = |number: i64| number.to_string();
        let name = self.tenant.map_or("", |(name, _)| name).to_owned();
        let severity = self.severity.unwrap_or_default().to_owned();
        let mut cells = match by {
            By::Tenant => vec![name, format!("{} {}", self.high(), bar(self.high(), most)).trim_end().to_owned()],
            By::Severity => vec![severity],
            By::TenantSeverity => vec![name, severity],
        };
        if by == By::Tenant {
            cells.extend(self.open[1..].iter().copied().map(number));
        }
        cells.extend([
            number(self.all_open()),
            number(self.total),
            number(self.created.iter().sum()),
            sparkline(&self.created),
            number(self.resolved()),
            median(&self.resolved_after).map_or_else(|| "–".to_owned(), lag),
        ]);
        cells.into_iter().map(Value::Text).collect()
    }
}

/// The middle of some numbers, or half-way between the two in the middle; none of none.
fn median(numbers: &[i64]) -> Option<i64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let (low, high) = (sorted.get(sorted.len().saturating_sub(1) / 2)?, sorted.get(sorted.len() / 2)?);
    Some(low.midpoint(*high))
}

/// A bar in eighths of a letter's height for each number, or for some of them together where there are many. Nothing is
/// as low as can be, and what is not nothing never so.
fn sparkline(numbers: &[i64]) -> String {
    // Counted from the end, so that the last bar is for as many days as the others.
    let together = numbers.len().div_ceil(MOST_BARS).max(1);
    let mut bars: Vec<i64> = numbers.rchunks(together).map(|days| days.iter().sum()).collect();
    bars.reverse();
    let most = bars.iter().copied().max().unwrap_or_default();
    let top = LEVELS.len() - 1;
    bars.iter().map(|number| LEVELS[share(*number, most, top)]).collect()
}

/// A bar as long as a number is large; any number has one.
fn bar(number: i64, most: i64) -> String {
    "█".repeat(share(number, most, LONGEST_BAR))
}

/// How many of `parts` a number has of the most there is, rounded up; none only when it is nothing.
fn share(number: i64, most: i64, parts: usize) -> usize {
    let parts = i64::try_from(parts).unwrap_or_default();
    if number <= 0 || most <= 0 {
        return 0;
    }
    usize::try_from((number.min(most) * parts + most - 1) / most).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_what_is_there() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), "▁▂▅█");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
        let year = [[1; 183], [0; 183]].concat();
        assert_eq!(sparkline(&year), ["▃", &"█".repeat(14), &"▁".repeat(14)].concat(), "two days, then thirteen a bar");
        assert_eq!([bar(0, 9), bar(1, 900), bar(9, 9), bar(3, 0)], ["", "█", "████████", ""]);
    }

    #[test]
    fn a_median_is_in_the_middle() {
        for (numbers, middle) in
            [([].as_slice(), None), (&[7], Some(7)), (&[9, 1, 5], Some(5)), (&[4, 1, 2, 100], Some(3))]
        {
            assert_eq!(median(numbers), middle);
        }
    }

    fn figures(open: i64, total: i64, created: [i64; 2], resolved_after: &[i64]) -> Figures {
        Figures { open, total, created: created.to_vec(), resolved_after: resolved_after.to_vec() }
    }

    #[test]
    fn lines_add_up_whatever_they_are_about() {
        let tenant = |name: &str, high: i64| TenantFigures {
            tenant_id: name.to_lowercase(),
            tenant_name: name.to_owned(),
            severities: [
                figures(high, 5, [1, 0], &[60]),
                figures(1, 1, [0, 1], &[]),
                figures(0, 0, [0, 0], &[]),
                figures(0, 0, [0, 0], &[]),
                figures(2, 3, [0, 2], &[10, 20]),
            ],
        };
        let tenants = [tenant("A", 2), tenant("B", 3)];
        let whole = all(&lines(&tenants, By::Tenant));
        assert_eq!((whole.open, whole.total), ([5, 2, 0, 0, 4], 18));
        assert_eq!((whole.created.as_slice(), whole.resolved()), ([2, 6].as_slice(), 6));
        for (by, count, first) in [(By::Tenant, 2, "B"), (By::Severity, 5, "High"), (By::TenantSeverity, 6, "A")] {
            let lines = lines(&tenants, by);
            assert_eq!(lines.len(), count);
            assert_eq!(lines[0].values(by)[0], Value::Text(first.to_owned()));
            assert_eq!((lines[0].values(by).len(), lines[0].cells(by, 3).len()), (names(by).len(), headings(by).len()));
            let sum = all(&lines);
            assert_eq!((sum.open, sum.total, &sum.created), (whole.open, whole.total, &whole.created), "{by:?}");
        }
    }
}
