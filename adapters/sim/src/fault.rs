//! Faults that can be scripted, and their text form.
//!
//! ```text
//! plan  = [ entry { ( ";" | newline ) entry } ]
//! entry = ( "at" time | "every" time ) WORD { parameter }     # since the start of the exchange
//! time  = digits ( "ns" | "ms" | "s" | "m" | "h" )
//! ```
//!
//! Each [`Fault`] says its word and its parameters, in order. A `target` is a symbol or `*`; a
//! `count` is 1 where absent, the `code` of a close is 1000. White space separates words; empty
//! entries are skipped. `Display` gives the same form back.

use std::fmt;
use std::time::Duration;

mod parameter;
mod plan;

pub use parameter::Target;
use parameter::{Parameter, Words};
pub use plan::{Entry, Plan, PlanError};

/// One enum, one word each, one parser and one printer: a fault cannot be in one and not in another.
macro_rules! faults {
    ($(
        $(#[$doc:meta])*
        $word:literal $name:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty ),* $(,)? }
    )*) => {
        /// One thing that goes wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum Fault {
            $( $(#[$doc])* #[doc = concat!("\n\nWord: `", $word, "`.")]
            $name { $( $(#[$field_doc])* $field: $type ),* }, )*
        }

        impl Fault {
            /// The word of each, in order of their declaration.
            pub const WORDS: &[&str] = &[$($word),*];

            /// Its word in a plan.
            #[must_use]
            pub const fn word(&self) -> &'static str {
                match self { $( Self::$name { .. } => $word, )* }
            }

            fn read(word: &str, words: &mut Words<'_>) -> Result<Self, String> {
                match word {
                    $( $word => Ok(Self::$name { $( $field: Parameter::read(words)? ),* }), )*
                    other => Err(format!("`{other}` is no fault")),
                }
            }

            fn write_parameters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( Self::$name { $( $field ),* } => {
                        $( f.write_str(" ")?; $field.write(f)?; )*
                        Ok(())
                    } )*
                }
            }

            /// The symbols that it hits, if it is about symbols.
            #[must_use]
            #[allow(unused_variables, reason = "most parameters are no target")]
            pub fn target(&self) -> Option<Target> {
                let mut target = None;
                match self {
                    $( Self::$name { $( $field ),* } => {
                        $( if let Some(found) = $field.as_target() { target = Some(found); } )*
                    } )*
                }
                target
            }
        }
    };
}

faults! {
    // Deltas and books.

    /// The next `count` deltas are made but never pushed.
    "drop" Drop {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// The last delta is pushed `count` times more.
    "repeat" Repeat {
        /// Of which symbols.
        target: Target,
        /// How often.
        count: u32,
    }
    /// The engine restarts: its counter goes back by `step`, the book stays.
    "step-back" StepBack {
        /// Of which symbols.
        target: Target,
        /// How far.
        step: u64,
    }
    /// A maintenance: the counter goes on `step` further, the book stays.
    "step-ahead" StepAhead {
        /// Of which symbols.
        target: Target,
        /// How far.
        step: u64,
    }
    /// The next `count` deltas cannot be decoded.
    "malformed" Malformed {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// Pushes of the book wait at the exchange and come in order afterwards: snapshots are ahead.
    "hold-back" HoldBack {
        /// Of which symbols.
        target: Target,
        /// How long.
        span: Duration,
    }
    /// The server loses the subscription to the book without a word, and finds it again.
    "mute" Mute {
        /// Of which symbols.
        target: Target,
        /// How long.
        span: Duration,
    }
    /// All levels of one side are removed, one by one.
    "one-sided" OneSided {
        /// Of which symbols.
        target: Target,
    }
    /// All levels are removed, one by one.
    "hollow" Hollow {
        /// Of which symbols.
        target: Target,
    }
    /// Best bid and best ask cross, as the exchange's own book does for moments.
    "cross" Cross {
        /// Of which symbols.
        target: Target,
        /// How long.
        span: Duration,
    }
    /// One side is eaten level by level while the other follows: the market walks away.
    "rally" Rally {
        /// Of which symbols.
        target: Target,
        /// Over how many changes.
        count: u32,
    }
    /// The next `count` snapshots are the oldest ones that may be served.
    "stale-snapshot" StaleSnapshot {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// The next `count` snapshots are of another symbol.
    "other-snapshot" OtherSnapshot {
        /// Asked for which symbols.
        target: Target,
        /// How many.
        count: u32,
    }

    /// One level of the next `count` snapshots has another size than it should. No client can tell that before it
    /// hears better: runs that are drawn have none of it.
    "lie" Lie {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }

    // Everything else that is pushed of a symbol: tickers, trades, depths, marks, candles.

    /// The next `count` pushes are made but never sent.
    "push-drop" PushDrop {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// The next `count` pushes are sent twice.
    "push-repeat" PushRepeat {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// The next `count` pushes cannot be decoded.
    "push-malformed" PushMalformed {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// The next `count` pushes have a subject that nobody knows.
    "push-subject" PushSubject {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }
    /// The next `count` pushes of depths, trades and tickers are written as they were years ago.
    "push-old" PushOld {
        /// Of which symbols.
        target: Target,
        /// How many.
        count: u32,
    }

    // The session.

    /// Welcomes come late.
    "late-welcome" LateWelcome {
        /// By how much.
        delay: Duration,
        /// How many.
        count: u32,
    }
    /// There is no welcome.
    "no-welcome" NoWelcome {
        /// For how many connections.
        count: u32,
    }
    /// The welcome comes twice.
    "two-welcomes" TwoWelcomes {
        /// For how many connections.
        count: u32,
    }
    /// The welcome answers another connect id.
    "wrong-welcome" WrongWelcome {
        /// For how many connections.
        count: u32,
    }
    /// Acks come late, and after the first data.
    "late-ack" LateAck {
        /// By how much.
        delay: Duration,
        /// How many.
        count: u32,
    }
    /// Requests are not answered; one in two is not obeyed either.
    "no-ack" NoAck {
        /// How many.
        count: u32,
    }
    /// Acks come twice.
    "two-acks" TwoAcks {
        /// How many.
        count: u32,
    }
    /// Before the ack comes one that answers nothing.
    "strange-ack" StrangeAck {
        /// How many.
        count: u32,
    }
    /// An ack waits until the next one has been sent, a second at most.
    "swap-acks" SwapAcks {
        /// How many.
        count: u32,
    }
    /// Requests are refused, and not obeyed.
    "refuse-request" RefuseRequest {
        /// With this error.
        error: Refusal,
        /// How many.
        count: u32,
    }
    /// Every connection is sent an error that answers nothing.
    "error" Error {
        /// Which.
        error: Refusal,
    }
    /// Pings go unanswered.
    "withhold-pongs" WithholdPongs {
        /// How long.
        span: Duration,
    }
    /// Pongs come late.
    "late-pong" LatePong {
        /// By how much.
        delay: Duration,
        /// How many.
        count: u32,
    }
    /// Pongs answer another ping.
    "wrong-pong" WrongPong {
        /// How many.
        count: u32,
    }
    /// All tokens given out are expired, and the next `count` are from birth.
    "expire-token" ExpireToken {
        /// How many.
        count: u32,
    }

    // The transport.

    /// Every connection is closed.
    "close" Close {
        /// With this code; 1006 ends the stream without a close frame.
        code: u16,
    }
    /// The connection that has been open longest is closed, and all others stay: of several that come back,
    /// each has its turn.
    "close-one" CloseOne {
        /// With this code; 1006 ends the stream without a close frame.
        code: u16,
    }
    /// Every connection is reset in the middle of a frame.
    "reset" Reset {}
    /// Connections are refused.
    "refuse" Refuse {
        /// How long.
        span: Duration,
    }
    /// Connections are accepted, welcomed and closed at once.
    "flap" Flap {
        /// How long.
        span: Duration,
    }
    /// Upgrades are answered late.
    "slow-connect" SlowConnect {
        /// By how much.
        delay: Duration,
        /// How many.
        count: u32,
    }
    /// Connections stand still: nothing is read from them and nothing is written to them, but they
    /// stay open. Afterwards all that waited arrives.
    "freeze" Freeze {
        /// How long.
        span: Duration,
    }

    // REST.

    /// Requests are answered with HTTP 429.
    "http-429" TooManyRequests {
        /// What `gw-ratelimit-reset` says.
        reset: Duration,
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 429 that says no time.
    "http-429-bare" TooManyBare {
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 403 and a page of the edge.
    "http-403" Forbidden {
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 429 and the edge's error 1015.
    "http-1015" Banned {
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 500, 502, 503 or 504.
    "http-5xx" ServerError {
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 200 and an error code of the exchange.
    "http-code" ApiError {
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 200 and a web page.
    "http-html" Html {
        /// How many requests.
        count: u32,
    }
    /// Requests are answered with HTTP 200 and nothing.
    "http-empty" EmptyBody {
        /// How many requests.
        count: u32,
    }
    /// Answers are cut off.
    "http-cut" CutBody {
        /// How many requests.
        count: u32,
    }
    /// Answers have more bytes than anyone should read.
    "http-giant" GiantBody {
        /// How many requests.
        count: u32,
    }
    /// Answers trickle: one byte at a time.
    "http-drip" Drip {
        /// From one byte to the next.
        pause: Duration,
        /// How many answers.
        count: u32,
    }
    /// Answers come late.
    "http-late" LateAnswer {
        /// By how much.
        delay: Duration,
        /// How many.
        count: u32,
    }
    /// Answers never come.
    "http-never" NoAnswer {
        /// How many requests.
        count: u32,
    }
    /// Requests find the connection refused.
    "http-refused" RefusedRequest {
        /// How many requests.
        count: u32,
    }
    /// Token responses name servers that must not be connected to before the right one.
    "bad-servers" BadServers {
        /// How many responses.
        count: u32,
    }
    /// Token responses name no server that may be connected to.
    "only-bad-servers" OnlyBadServers {
        /// How many responses.
        count: u32,
    }
    /// Token responses say absurd things about pings.
    "absurd-pings" AbsurdPings {
        /// How many responses.
        count: u32,
    }

    // The network of one client, its clock and its caller: only where there is a `World`.

    /// What a client sends stands still on its way, and arrives afterwards.
    "stall-up" StallUp {
        /// How long.
        span: Duration,
    }
    /// What a client is sent stands still on its way, and arrives afterwards.
    "stall-down" StallDown {
        /// How long.
        span: Duration,
    }
    /// Everything takes longer.
    "lag" Lag {
        /// By up to so much.
        delay: Duration,
        /// How long.
        span: Duration,
    }
    /// The clock that the client is given goes back for three inputs.
    "clock-back" ClockBack {
        /// By so much.
        by: Duration,
    }
    /// The clock that the client is given leaps forward.
    "clock-leap" ClockLeap {
        /// By so much.
        by: Duration,
    }
    /// The client's machine is suspended while the world goes on.
    "sleep" Sleep {
        /// How long.
        span: Duration,
    }
    /// The client is told of its deadlines late.
    "late-timeouts" LateTimeouts {
        /// By up to so much.
        by: Duration,
        /// How long.
        span: Duration,
    }
    /// The client is told of deadlines that have not come.
    "early-timeouts" EarlyTimeouts {
        /// How many.
        count: u32,
    }
    /// Nobody drains the client after the next `count` inputs.
    "undrained" Undrained {
        /// How many.
        count: u32,
    }
    /// Nobody drains the client.
    "slow-consumer" SlowConsumer {
        /// How long.
        span: Duration,
    }
    /// What is subscribed is unsubscribed, and the other way round.
    "toggle" Toggle {
        /// Which symbols.
        target: Target,
    }
    /// The client is closed; another one takes its place.
    "close-client" CloseClient {}
}

impl Fault {
    /// The words of those with which a client can keep all its promises: all but `lie`.
    pub fn honest_words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().copied().filter(|word| *word != "lie")
    }

    /// Whether it needs a [`World`](crate::World): a server has neither the client's clock nor its
    /// caller in its hands.
    #[must_use]
    pub const fn needs_world(&self) -> bool {
        matches!(
            self,
            Self::StallUp { .. }
                | Self::StallDown { .. }
                | Self::Lag { .. }
                | Self::ClockBack { .. }
                | Self::ClockLeap { .. }
                | Self::Sleep { .. }
                | Self::LateTimeouts { .. }
                | Self::EarlyTimeouts { .. }
                | Self::Undrained { .. }
                | Self::SlowConsumer { .. }
                | Self::Toggle { .. }
                | Self::CloseClient { .. }
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.write_parameters(f)
    }
}

macro_rules! refusals {
    ($( $(#[$doc:meta])* $word:literal $name:ident => $code:literal, $text:literal; )*) => {
        /// An error frame of the exchange's.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[non_exhaustive]
        pub enum Refusal { $( $(#[$doc])* $name, )* }

        impl Refusal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its word in a plan.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$name => $word, )* }
            }

            /// Its word where it is sent unasked.
            #[must_use]
            pub const fn as_error(self) -> &'static str {
                match self { $( Self::$name => concat!("error ", $word), )* }
            }

            /// Its word where it answers a request.
            #[must_use]
            pub const fn as_refusal(self) -> &'static str {
                match self { $( Self::$name => concat!("refuse-request ", $word), )* }
            }

            /// Code and text, as the exchange sends them.
            #[must_use]
            pub const fn code_and_text(self) -> (u32, &'static str) {
                match self { $( Self::$name => ($code, $text), )* }
            }
        }
    };
}

refusals! {
    /// Nothing was heard of us for a minute.
    "400-ping" PingTimeout => 400, "ping timeout";
    /// Our frame is no JSON.
    "400-json" NotUnderstood => 400, "Unrecognized token 'hello': was expecting a JSON object";
    /// The token is of no use.
    "401" Unauthorized => 401, "token is expired";
    /// The topic needs a login.
    "403" LoginRequired => 403, "login is required";
    /// There is no such topic.
    "404" UnknownTopic => 404, "topic does not exist";
    /// Our frame has a type that is not known.
    "415" UnknownType => 415, "type is not supported";
    /// Something broke over there.
    "500" System => 500, "system error";
    /// Too many messages of ours.
    "509-rate" TooFast => 509, "exceed max permits per second";
    /// Too many topics in one frame.
    "509-frame" TooManyPerFrame => 509, "exceed max subscription count limitation of 100 per time";
    /// Too many topics on one connection.
    "509-session" TooManyTopics => 509, "exceed max subscription count limitation of 300 per session";
    /// Too many connections.
    "509-sessions" TooManySessions => 509, "exceed max session count limitation of 50";
    /// Overloaded.
    "509-busy" Busy => 509, "service busy, please retry later";
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Parameter for Refusal {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        let word = words.need("an error such as `404` or `509-busy`")?;
        let known = Self::ALL.iter().copied().find(|refusal| refusal.word() == word);
        known.ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|refusal| refusal.word()).collect();
            format!("`{word}` is none of {}", known.join(", "))
        })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests;
