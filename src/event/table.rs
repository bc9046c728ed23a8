//! Owns the macro that turns one table into everything an event needs: its variant, name, levels, documentation and
//! the `tracing` call. So none of them can drift from the others.

/// Makes `Event` and its catalogue from rows of the form
/// `/// doc` `Variant = "dotted.name" [LEVEL] { /// doc` `field: Type, … } => message;`
///
/// An event with several levels is written `[LEVEL LEVEL; expression]`; the expression, like the message, sees the
/// fields by reference.
macro_rules! events {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident = $name:literal $levels:tt {
            $( $(#[doc = $field_doc:literal])+ $field:ident: $type:ty, )*
        } => $message:expr;
    )*) => {
        /// One operator-visible line. [`Event::emit`] says it.
        #[derive(Debug, Clone, Copy)]
        pub enum Event<'a> {
            $(
                $(#[doc = $doc])+
                $variant {
                    $( $(#[doc = $field_doc])+ $field: $type, )*
                },
            )*
        }

        impl<'a> Event<'a> {
            /// Everything there is to know about every event, in the order of the documentation.
            const DOCS: &'static [EventDoc] = &[$(
                EventDoc {
                    name: $name,
                    levels: level_list!($levels),
                    doc: concat!($($doc),+),
                    fields: &[$(
                        FieldDoc {
                            name: stringify!($field),
                            kind: <$type as FieldValue>::KIND,
                            optional: <$type as FieldValue>::OPTIONAL,
                            doc: concat!($($field_doc),+),
                        },
                    )*],
                },
            )*];

            /// The dotted name, which is a public interface.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => $name, )*
                }
            }

            /// How much it matters.
            #[must_use]
            #[allow(unused_variables, reason = "few levels depend on what happened")]
            pub fn level(&self) -> tracing::Level {
                match self {
                    $( Self::$variant { $($field),* } => picked!($levels), )*
                }
            }

            /// Says it: one `tracing` event with the target [`TARGET`]. Whoever [listens](super::listen) hears it, too.
            pub fn emit(&self) {
                super::listener::tell(self);
                match self {
                    $( Self::$variant { $($field),* } => emit!($levels, $name, { $($field)* }, $message), )*
                }
            }
        }
    };
}

/// The levels of a row as a slice.
macro_rules! level_list {
    ([$($level:ident)+ $(; $pick:expr)?]) => {
        &[$(tracing::Level::$level),+]
    };
}

/// The level of a row.
macro_rules! picked {
    ([$level:ident]) => {
        tracing::Level::$level
    };
    ([$($level:ident)+; $pick:expr]) => {
        $pick
    };
}

/// The `tracing` call of a row: levels are part of a call's place in the code, so each level has a call of its own.
macro_rules! emit {
    ([$level:ident], $name:literal, { $($field:ident)* }, $message:expr) => {
        tracing::event!(
            target: TARGET,
            tracing::Level::$level,
            event = $name,
            $($field = FieldValue::recorded($field),)*
            "{}",
            $message
        )
    };
    ([$($level:ident)+; $pick:expr], $name:literal, $fields:tt, $message:expr) => {{
        let level = $pick;
        $(
            if level == tracing::Level::$level {
                emit!([$level], $name, $fields, $message);
            }
        )+
    }};
}
