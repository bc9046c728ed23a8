//! The rules of this house, held against its files: what imports what, which door each dependency has, how files open,
//! how SQL is named, and what must not be written anywhere.

mod doors;
mod floors;
mod source;
mod sql;
mod text;
