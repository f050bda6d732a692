//! Ways to write the same frame.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Sequence, SplitMix64, Symbol};
use kucoin_futures_sim::Change;

/// How a recording writes its deltas.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// As the exchange does.
    Own,
    /// Keys sorted by name, so that the symbol comes behind the change.
    Sorted,
    /// As Python's `json.dumps` does.
    Spaced,
    /// Each frame in one of several ways, drawn.
    Mixed,
}

/// One way to write a frame.
#[derive(Clone)]
struct Style {
    outer: Vec<&'static str>,
    inner: Vec<&'static str>,
    comma: &'static str,
    colon: &'static str,
    slash: &'static str,
}

/// A change of a symbol.
type Delta<'a> = (Symbol, Sequence, &'a Change);

impl Layout {
    /// A frame for `own`, which is the exchange's.
    pub(crate) fn write(self, rng: &mut SplitMix64, own: &str, delta: Delta<'_>) -> String {
        let text = Style::own().write(delta);
        // What is written otherwise below differs in nothing but the way.
        assert_eq!(text, own);
        match self {
            Self::Own => text,
            Self::Sorted => Style::sorted().write(delta),
            Self::Spaced => Style::spaced().write(delta),
            Self::Mixed => Style::drawn(rng).write(delta),
        }
    }
}

impl Style {
    fn own() -> Self {
        Self {
            outer: vec!["topic", "type", "subject", "sn", "data"],
            inner: vec!["sequence", "change", "timestamp"],
            comma: ",",
            colon: ":",
            slash: "/",
        }
    }

    fn sorted() -> Self {
        let mut style = Self::own();
        style.outer.sort_unstable();
        style.inner.sort_unstable();
        style
    }

    fn spaced() -> Self {
        Self { comma: ", ", colon: ": ", ..Self::own() }
    }

    fn drawn(rng: &mut SplitMix64) -> Self {
        match rng.below(6) {
            0 => Self::own(),
            1 => Self::sorted(),
            2 => Self::spaced(),
            // As PHP's `json_encode` does.
            3 => Self { slash: r"\/", ..Self::own() },
            4 => {
                let mut style = Self::own();
                style.outer.insert(rng.below(6) as usize, "more");
                style.inner.insert(rng.below(4) as usize, "more");
                style
            }
            _ => Self::shuffled(rng),
        }
    }

    /// Keys in any order, some white space, and perhaps no `sn`.
    fn shuffled(rng: &mut SplitMix64) -> Self {
        let mut style = Self::own();
        if rng.below(4) == 0 {
            style.outer.retain(|key| *key != "sn");
        }
        shuffle(rng, &mut style.outer);
        shuffle(rng, &mut style.inner);
        let mut one_of = |choice: [&'static str; 3]| choice[rng.below(3) as usize];
        style.comma = one_of([",", ", ", " ,\t"]);
        style.colon = one_of([":", ": ", "  : "]);
        style
    }

    fn write(&self, (symbol, sequence, change): Delta<'_>) -> String {
        let side = if change.side == Side::Bid { "buy" } else { "sell" };
        let inner = self.object(&self.inner, |key| match key {
            "sequence" => sequence.to_string(),
            "change" => format!(r#""{},{side},{}""#, change.price, change.after),
            "timestamp" => change.at.as_millis().to_string(),
            _ => r#"[{"sequence":1},"}",null,-1.5e3]"#.into(),
        });
        let slash = self.slash;
        self.object(&self.outer, |key| match key {
            "topic" => format!(r#""{slash}contractMarket{slash}level2:{symbol}""#),
            "type" => r#""message""#.into(),
            "subject" => r#""level2""#.into(),
            "sn" => sequence.to_string(),
            "data" => inner.clone(),
            _ => r#"{"data":{"change":"1,buy,1"},"x":"\"\u007b"}"#.into(),
        })
    }

    fn object(&self, keys: &[&str], value: impl Fn(&str) -> String) -> String {
        let field = |key: &&str| format!(r#""{key}"{}{}"#, self.colon, value(key));
        let fields = keys.iter().map(field).collect::<Vec<_>>();
        format!("{{{}}}", fields.join(self.comma))
    }
}

fn shuffle(rng: &mut SplitMix64, keys: &mut [&'static str]) {
    for last in (1..keys.len()).rev() {
        keys.swap(last, rng.below(last as u64 + 1) as usize);
    }
}
