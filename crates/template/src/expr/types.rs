//! What is known of a value before an expression runs: Go types with the printed names that messages contain.

use crate::value::{Element, Func, Value, Width};

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Nothing is known; messages say `unknown`.
    Unknown,
    /// Known to be of type `interface {}`: as open as unknown, but messages say so.
    Any,
    Nil,
    Bool,
    Int,
    Sized(Width),
    Float,
    Str,
    Bytes,
    /// A slice; the second part is what the elements are when the Go type does not tell.
    List(Element, Option<Box<Type>>),
    /// A map with text keys; the flag says that its values are text.
    Map(bool),
    /// A map with any keys; the flag says that its values are lists.
    AnyMap(bool),
    Time,
    Duration,
    Zone,
    Month,
    Weekday,
    Func(Func),
    Struct(&'static str),
    /// A method or function with fixed parameters.
    Signature(&'static Signature),
    /// A Go type that only methods give back; printed by its name.
    Named(&'static str),
}

/// Parameters and result of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// For a method, what it is called on.
    pub receiver: Option<Type>,
    pub params: &'static [Type],
    pub out: Type,
    /// What it gives beside; a call drops it.
    pub also: &'static [Type],
    /// Whether the last parameter repeats.
    pub variadic: bool,
}

impl Signature {
    /// A plain function of one result.
    #[must_use]
    pub const fn plain(params: &'static [Type], out: Type) -> Self {
        Self {
            receiver: None,
            params,
            out,
            also: &[],
            variadic: false,
        }
    }

    /// Go's spelling. A method that is not called yet is, for the static check, a function of its receiver; as a
    /// value it is a function without.
    #[must_use]
    pub fn name(&self, with_receiver: bool) -> String {
        let receiver = self.receiver.iter().filter(|_| with_receiver);
        let list = |types: Vec<String>| types.join(", ");
        let params = list(receiver.chain(self.params).map(Type::plain_name).collect());
        let out = self.out.plain_name();
        if self.also.is_empty() {
            return format!("func({params}) {out}");
        }
        let outs = std::iter::once(out).chain(self.also.iter().map(Type::plain_name));
        format!("func({params}) ({})", list(outs.collect()))
    }
}

impl Type {
    /// `[]interface {}` whose elements are not known.
    pub const LIST: Self = Self::List(Element::Any, None);
    /// `map[string]interface {}`
    pub const MAP: Self = Self::Map(false);

    /// The type of a value at hand.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Sized(w, _) => Self::Sized(*w),
            Value::Float(_) => Self::Float,
            Value::Str(_) => Self::Str,
            Value::Bytes(_) => Self::Bytes,
            Value::List(l) => Self::List(l.of, None),
            Value::Map(m) => Self::Map(m.of_text),
            Value::AnyMap(m) => Self::AnyMap(m.of_lists),
            Value::Time(_) => Self::Time,
            Value::Duration(_) => Self::Duration,
            Value::Zone(_) => Self::Zone,
            Value::Month(_) => Self::Month,
            Value::Weekday(_) => Self::Weekday,
            Value::Func(f) => Self::Func(*f),
            Value::Method(m) => Self::Signature(m.signature),
            Value::Struct(s) => Self::Struct(s.name),
        }
    }

    /// `[]interface {}` with elements of a known type.
    #[must_use]
    pub fn list_of(item: Self) -> Self {
        Self::List(Element::Any, Some(Box::new(item)))
    }

    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown | Self::Any)
    }

    #[must_use]
    pub fn is_nil(&self) -> bool {
        *self == Self::Nil
    }

    #[must_use]
    pub fn is_bool(&self) -> bool {
        *self == Self::Bool
    }

    #[must_use]
    pub fn is_str(&self) -> bool {
        *self == Self::Str
    }

    #[must_use]
    pub fn is_time(&self) -> bool {
        *self == Self::Time
    }

    #[must_use]
    pub fn is_duration(&self) -> bool {
        *self == Self::Duration
    }

    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Int | Self::Sized(_))
    }

    #[must_use]
    pub fn is_number(&self) -> bool {
        self.is_integer() || *self == Self::Float
    }

    /// Whether it is a number with a name of its own, which fits only itself.
    #[must_use]
    pub fn is_named(&self) -> bool {
        matches!(self, Self::Duration | Self::Month | Self::Weekday)
    }

    /// Whether the type is built on a number: what the static rules of functions ask.
    #[must_use]
    pub fn is_number_kind(&self) -> bool {
        self.is_number() || matches!(self, Self::Duration | Self::Month | Self::Weekday)
    }

    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::List(..) | Self::Bytes)
    }

    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_) | Self::AnyMap(_))
    }

    /// The type of an element.
    #[must_use]
    pub fn element(&self) -> Self {
        match self {
            Self::List(_, Some(t)) => (**t).clone(),
            Self::List(of, None) => match of {
                Element::Any | Element::Two => Self::Any,
                Element::Str => Self::Str,
                Element::Int => Self::Int,
                Element::Float => Self::Float,
                Element::Pair | Element::AnyList => Self::LIST,
                Element::StrList => Self::List(Element::Str, None),
            },
            Self::Bytes => Self::Sized(Width::U8),
            Self::Map(true) => Self::Str,
            Self::AnyMap(true) => Self::LIST,
            _ => Self::Any,
        }
    }

    /// Go's `reflect.Kind`, by name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Any => "interface",
            Self::Nil => "invalid",
            Self::Bool => "bool",
            Self::Int | Self::Month | Self::Weekday => "int",
            Self::Sized(w) => w.name(),
            Self::Duration => "int64",
            Self::Float => "float64",
            Self::Str => "string",
            Self::Bytes | Self::List(..) => "slice",
            Self::Map(_) | Self::AnyMap(_) => "map",
            Self::Time | Self::Struct(_) | Self::Named(_) => "struct",
            Self::Zone => "ptr",
            Self::Func(_) | Self::Signature(_) => "func",
        }
    }

    /// As messages print it; nil has no type and prints as `unknown`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Unknown | Self::Nil => "unknown".into(),
            Self::Any => "interface {}".into(),
            Self::Bool => "bool".into(),
            Self::Int => "int".into(),
            Self::Sized(w) => w.name().into(),
            Self::Float => "float64".into(),
            Self::Str => "string".into(),
            Self::Bytes => "[]uint8".into(),
            Self::List(of, _) => of.list_name(),
            Self::Map(true) => "map[string]string".into(),
            Self::Map(false) => "map[string]interface {}".into(),
            Self::AnyMap(true) => "map[interface {}][]interface {}".into(),
            Self::AnyMap(false) => "map[interface {}]interface {}".into(),
            Self::Time => "time.Time".into(),
            Self::Duration => "time.Duration".into(),
            // Pointers are shown as what they point to.
            Self::Zone => "time.Location".into(),
            Self::Month => "time.Month".into(),
            Self::Weekday => "time.Weekday".into(),
            Self::Func(f) => f.type_name().into(),
            Self::Struct(name) | Self::Named(name) => name.trim_start_matches('*').into(),
            Self::Signature(s) => s.name(true),
        }
    }

    /// As Go prints a type where nil and unknown are told apart: `interface {}` and `%!s(<nil>)`.
    #[must_use]
    pub fn plain_name(&self) -> String {
        match self {
            Self::Unknown => "interface {}".into(),
            Self::Nil => "%!s(<nil>)".into(),
            Self::Zone => "*time.Location".into(),
            Self::Struct(name) | Self::Named(name) => (*name).into(),
            other => other.name(),
        }
    }

    /// Like [`Type::name`], with the mark of pointers.
    #[must_use]
    pub fn pointer_name(&self) -> String {
        match self {
            Self::Unknown | Self::Nil => self.name(),
            other => other.plain_name(),
        }
    }

    /// Whether a value of this type may be given where `wanted` is asked for.
    #[must_use]
    pub fn assignable_to(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (_, Self::Unknown | Self::Any) | (Self::Nil, _) => true,
            (Self::List(a, _), Self::List(b, _)) => a == b,
            (a, b) => a == b,
        }
    }
}
