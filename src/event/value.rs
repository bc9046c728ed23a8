//! Owns which types an event's fields may have and how each reaches `tracing`.

use tracing::field::DisplayValue;

use super::Json;
use crate::domain::{FailureClass, GapReason, TenantId, TenantState, Ticks};

/// A type that may be a field of an event.
pub trait FieldValue {
    /// What it is called in `docs/EVENTS.md`.
    const KIND: &'static str;
    /// Whether the field is left out when there is nothing to say.
    const OPTIONAL: bool = false;
    /// What `tracing` records.
    type Recorded<'v>: tracing::Value
    where
        Self: 'v;

    /// The value as `tracing` takes it.
    fn recorded(&self) -> Self::Recorded<'_>;
}

macro_rules! as_it_is {
    ($($type:ty: $kind:literal),* $(,)?) => {$(
        impl FieldValue for $type {
            const KIND: &'static str = $kind;
            type Recorded<'v> = $type;

            fn recorded(&self) -> $type {
                *self
            }
        }
    )*};
}

macro_rules! as_printed {
    ($($type:ty: $kind:literal),* $(,)?) => {$(
        impl FieldValue for $type {
            const KIND: &'static str = $kind;
            type Recorded<'v> = DisplayValue<&'v $type>;

            fn recorded(&self) -> DisplayValue<&$type> {
                tracing::field::display(self)
            }
        }
    )*};
}

as_it_is! { bool: "boolean", i64: "number", u32: "number", u64: "number" }
as_printed! {
    FailureClass: "text", GapReason: "text", TenantId: "GUID",
    TenantState: "text", Ticks: "time",
}

impl<'a> FieldValue for &'a str {
    const KIND: &'static str = "text";
    type Recorded<'v>
        = &'a str
    where
        'a: 'v;

    fn recorded(&self) -> &'a str {
        self
    }
}

impl<'a> FieldValue for Json<'a> {
    const KIND: &'static str = "object";
    type Recorded<'v>
        = &'a str
    where
        'a: 'v;

    fn recorded(&self) -> &'a str {
        self.0
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const KIND: &'static str = T::KIND;
    const OPTIONAL: bool = true;
    type Recorded<'v>
        = Option<T::Recorded<'v>>
    where
        T: 'v;

    fn recorded(&self) -> Option<T::Recorded<'_>> {
        self.as_ref().map(T::recorded)
    }
}
