//! Values as expressions see them: Go's types, because printed forms, arithmetic and error texts depend on them.
//! Conversion from and to JSON is in `json`, printing in `print`, numbers in `number`.

mod entries;
pub mod json;
pub mod number;
pub mod print;
pub mod quote;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Zoned;
use jiff::tz::TimeZone;

pub use entries::Entries;

use crate::expr::types::Signature;
use crate::text::Text;

/// A value in an expression.
#[derive(Clone, Debug)]
pub enum Value {
    /// Go's `nil`.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`, 64 bit, wraps.
    Int(i64),
    /// Any other integer type; only what functions give back has one.
    Sized(Width, i64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Text),
    /// `[]uint8`
    Bytes(Arc<[u8]>),
    /// A slice of any element type.
    List(Arc<List>),
    /// A map with text keys.
    Map(Arc<Map>),
    /// A map with keys of any type; JSON has no form for it.
    AnyMap(Arc<AnyMap>),
    /// `time.Time`
    Time(Box<Zoned>),
    /// `time.Duration` in nanoseconds.
    Duration(i64),
    /// `*time.Location`
    Zone(TimeZone),
    /// `time.Month`, 1 to 12.
    Month(i64),
    /// `time.Weekday`, Sunday is 0.
    Weekday(i64),
    /// A function that the environment holds.
    Func(Func),
    /// A method that is not called.
    Method(Box<Method>),
    /// A Go struct: its type's name and its fields.
    Struct(Arc<Struct>),
}

/// Go integer types other than `int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    I64,
    I32,
    U8,
    U32,
    U64,
}

impl Width {
    /// Go's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::U8 => "uint8",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
        }
    }
}

/// A Go slice.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The element type.
    pub of: Element,
    /// A nil slice: as JSON it is `null`.
    pub nil: bool,
    pub items: Vec<Value>,
}

/// Element types of slices that occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Element {
    #[default]
    Any,
    Str,
    Int,
    Float,
    /// `[2]interface {}`
    Pair,
    /// The list itself is the array `[2]interface {}`.
    Two,
    /// `[]interface {}`
    AnyList,
    /// `[]string`
    StrList,
}

impl Element {
    /// Go's name of the element type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any | Self::Two => "interface {}",
            Self::Str => "string",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Pair => "[2]interface {}",
            Self::AnyList => "[]interface {}",
            Self::StrList => "[]string",
        }
    }
}

impl Element {
    /// Go's name of a list of it.
    #[must_use]
    pub fn list_name(self) -> String {
        if self == Self::Two {
            "[2]interface {}".into()
        } else {
            format!("[]{}", self.name())
        }
    }
}

/// A Go map with text keys.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Whether it is `map[string]string` (else `map[string]interface {}`).
    pub of_text: bool,
    pub entries: Entries,
}

/// A Go map with keys of any type, in the order of first insertion.
#[derive(Clone, Debug, Default)]
pub struct AnyMap {
    /// Whether it is `map[interface {}][]interface {}` (what `groupBy` gives).
    pub of_lists: bool,
    pub entries: Vec<(Value, Value)>,
}

/// A Go struct or pointer to one.
#[derive(Clone, Debug)]
pub struct Struct {
    /// Type as `%T` prints it.
    pub name: &'static str,
    pub fields: BTreeMap<&'static str, Value>,
    /// What its methods need to know; the text form for the semantic versions.
    pub text: String,
}

/// A method together with what it is called on.
#[derive(Clone, Debug)]
pub struct Method {
    pub on: Value,
    pub name: &'static str,
    pub signature: &'static Signature,
}

/// A function value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Func {
    AsInt,
    AsFloat,
    JsonPath,
    ToJson,
    /// A Sprig function by its position in the table.
    Sprig(u16),
}

impl Value {
    /// Text.
    pub fn str(s: impl Into<Text>) -> Self {
        Self::Str(s.into())
    }

    /// `[]interface {}`
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(List {
            of: Element::Any,
            nil: false,
            items,
        }))
    }

    /// A slice with another element type.
    #[must_use]
    pub fn list_of(of: Element, items: Vec<Self>) -> Self {
        Self::List(Arc::new(List {
            of,
            nil: false,
            items,
        }))
    }

    /// A nil slice.
    #[must_use]
    pub fn nil_list(of: Element) -> Self {
        Self::List(Arc::new(List {
            of,
            nil: true,
            items: Vec::new(),
        }))
    }

    /// `map[string]interface {}`
    #[must_use]
    pub fn map(entries: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::Map(Arc::new(Map {
            of_text: false,
            entries: entries.into_iter().collect(),
        }))
    }

    /// Whether this is nil.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil) || matches!(self, Self::List(l) if l.nil)
    }

    /// Any integer type's value.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Int(i) | Self::Sized(_, i) => Some(*i),
            _ => None,
        }
    }

    /// Any number as float.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Float(f) => Some(*f),
            Self::Sized(Width::U64, i) => Some((*i).cast_unsigned() as f64),
            _ => self.integer().map(|i| i as f64),
        }
    }

    /// Go's name of the value's type, as `%T` prints it.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Nil => "<nil>".into(),
            Self::Bool(_) => "bool".into(),
            Self::Int(_) => "int".into(),
            Self::Sized(w, _) => w.name().into(),
            Self::Float(_) => "float64".into(),
            Self::Str(_) => "string".into(),
            Self::Bytes(_) => "[]uint8".into(),
            Self::List(l) => l.of.list_name(),
            Self::Map(m) if m.of_text => "map[string]string".into(),
            Self::Map(_) => "map[string]interface {}".into(),
            Self::AnyMap(m) if m.of_lists => "map[interface {}][]interface {}".into(),
            Self::AnyMap(_) => "map[interface {}]interface {}".into(),
            Self::Time(_) => "time.Time".into(),
            Self::Duration(_) => "time.Duration".into(),
            Self::Zone(_) => "*time.Location".into(),
            Self::Month(_) => "time.Month".into(),
            Self::Weekday(_) => "time.Weekday".into(),
            Self::Func(f) => f.type_name().into(),
            Self::Method(m) => m.signature.name(false),
            Self::Struct(s) => s.name.into(),
        }
    }
}

impl Func {
    /// Go's type of the function.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::AsInt | Self::AsFloat => "func(interface {}) interface {}",
            Self::JsonPath => "func(string, string) interface {}",
            Self::ToJson => "func(interface {}) string",
            Self::Sprig(_) => "func(...interface {}) interface {}",
        }
    }
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::str(v)
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::str(v)
    }
}
