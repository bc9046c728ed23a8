//! Owns the meaning of a filter: fields, comparisons, nulls, and the time range an index can use.

use std::cmp::Ordering;
use std::ops::Bound;

use crate::alert::Version;

/// The fields `$filter` and `$orderby` take: the list of the product's list-alerts page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Creation,
    LastUpdate,
    LastEvent,
    Incident,
    Investigation,
    Id,
    AssignedTo,
    DetectionSource,
    Status,
    Severity,
    Category,
}

/// What a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Time,
    Integer,
    Text,
}

impl Field {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "alertCreationTime" => Self::Creation,
            "lastUpdateTime" => Self::LastUpdate,
            "lastEventTime" => Self::LastEvent,
            "incidentId" => Self::Incident,
            "investigationId" | "InvestigationId" => Self::Investigation,
            "id" => Self::Id,
            "assignedTo" => Self::AssignedTo,
            "detectionSource" => Self::DetectionSource,
            "status" => Self::Status,
            "severity" => Self::Severity,
            "category" => Self::Category,
            _ => return None,
        })
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Creation | Self::LastUpdate | Self::LastEvent => Kind::Time,
            Self::Incident | Self::Investigation => Kind::Integer,
            Self::Id | Self::AssignedTo | Self::DetectionSource | Self::Status | Self::Severity | Self::Category => {
                Kind::Text
            }
        }
    }

    /// The row's value; `update_key` is what stands for its `lastUpdateTime`.
    fn value(self, row: &Version, update_key: i64) -> Value<'_> {
        let fields = &row.fields;
        match self {
            Self::LastUpdate => Value::Integer(update_key),
            Self::Creation => Value::of(fields.creation.map(crate::ticks::Ticks::thirds)),
            Self::LastEvent => Value::of(fields.last_event.map(crate::ticks::Ticks::thirds)),
            Self::Incident => Value::of(fields.incident_id),
            Self::Investigation => Value::of(fields.investigation_id),
            Self::Id => Value::Text(&row.id),
            Self::AssignedTo => Value::text(fields.assigned_to.as_deref()),
            Self::DetectionSource => Value::text(fields.detection_source.as_deref()),
            Self::Status => Value::text(fields.status.as_deref()),
            Self::Severity => Value::text(fields.severity.as_deref()),
            Self::Category => Value::text(fields.category.as_deref()),
        }
    }

    /// Orders two rows by this field; nulls come first, text is compared byte by byte.
    pub(crate) fn compare(self, left: (&Version, i64), right: (&Version, i64)) -> Ordering {
        self.value(left.0, left.1).cmp(&self.value(right.0, right.1))
    }
}

/// A row's value; the order of the variants puts null first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'r> {
    Null,
    Integer(i64),
    Text(&'r str),
}

impl<'r> Value<'r> {
    fn of(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Integer)
    }

    fn text(value: Option<&'r str>) -> Self {
        value.map_or(Self::Null, Self::Text)
    }
}

/// A value written in a filter; times are in thirds of a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Null,
    Time(i64),
    Integer(i64),
    Text(String),
}

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Time(number) | Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
        }
    }
}

/// The six comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
        }
    }
}

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Compare(Field, Operator, Literal),
}

impl Expr {
    /// Whether a row passes. As in OData, ordering against null never holds, and null equals only null.
    pub(crate) fn matches(&self, row: &Version, update_key: i64) -> bool {
        match self {
            Self::And(left, right) => left.matches(row, update_key) && right.matches(row, update_key),
            Self::Or(left, right) => left.matches(row, update_key) || right.matches(row, update_key),
            Self::Compare(field, operator, literal) => {
                let (left, right) = (field.value(row, update_key), literal.value());
                let null = left == Value::Null || right == Value::Null;
                match operator {
                    Operator::Eq | Operator::Ne => operator.holds(left.cmp(&right)),
                    Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
                        !null && operator.holds(left.cmp(&right))
                    }
                }
            }
        }
    }

    /// The widest range of `lastUpdateTime` keys outside which nothing can pass.
    pub(crate) fn update_range(&self) -> (Bound<i64>, Bound<i64>) {
        match self {
            Self::And(left, right) => {
                let ((a, b), (c, d)) = (left.update_range(), right.update_range());
                (tighter_low(a, c), tighter_high(b, d))
            }
            Self::Compare(Field::LastUpdate, operator, Literal::Time(at)) => match operator {
                Operator::Eq => (Bound::Included(*at), Bound::Included(*at)),
                Operator::Gt => (Bound::Excluded(*at), Bound::Unbounded),
                Operator::Ge => (Bound::Included(*at), Bound::Unbounded),
                Operator::Lt => (Bound::Unbounded, Bound::Excluded(*at)),
                Operator::Le => (Bound::Unbounded, Bound::Included(*at)),
                Operator::Ne => (Bound::Unbounded, Bound::Unbounded),
            },
            Self::Or(..) | Self::Compare(..) => (Bound::Unbounded, Bound::Unbounded),
        }
    }

    /// Whether ids are compared by order anywhere in it.
    pub(crate) fn has_id_range(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.has_id_range() || right.has_id_range(),
            Self::Compare(field, operator, _) => {
                *field == Field::Id && !matches!(operator, Operator::Eq | Operator::Ne)
            }
        }
    }
}

/// Bounds in whole numbers: (value, 1 if excluded) orders low bounds.
fn tighter_low(a: Bound<i64>, b: Bound<i64>) -> Bound<i64> {
    let rank = |bound: &Bound<i64>| match bound {
        Bound::Unbounded => (i64::MIN, 0),
        Bound::Included(at) => (*at, 0),
        Bound::Excluded(at) => (*at, 1),
    };
    if rank(&a) >= rank(&b) { a } else { b }
}

fn tighter_high(a: Bound<i64>, b: Bound<i64>) -> Bound<i64> {
    let rank = |bound: &Bound<i64>| match bound {
        Bound::Unbounded => (i64::MAX, 1),
        Bound::Included(at) => (*at, 1),
        Bound::Excluded(at) => (*at, 0),
    };
    if rank(&a) <= rank(&b) { a } else { b }
}
