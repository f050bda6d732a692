//! A test of any adapter, and the tables of them.

use crate::rig::Wire;

/// A case: it runs on both wires unless it says otherwise.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Wire),
    pub(crate) wires: &'static [Wire],
}

pub(crate) const BOTH: &[Wire] = &[Wire::Plain, Wire::Tls];
pub(crate) const PLAIN: &[Wire] = &[Wire::Plain];
pub(crate) const TLS: &[Wire] = &[Wire::Tls];

/// The table of a module's cases.
macro_rules! cases {
    ($wires:ident: $($name:ident),+ $(,)?) => {
        vec![$(Case { name: stringify!($name), run: $name::<F>, wires: crate::case::$wires }),+]
    };
}
pub(crate) use cases;
