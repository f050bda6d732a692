//! A connection to Redis that can be made anew.

use std::sync::Arc;

use redis::{Client, Connection, ErrorKind, RedisError, cmd};

use crate::engine::{Address, CALL, EngineError};

/// A connection that can be made anew.
pub(super) struct Link {
    client: Client,
    shown: String,
    connection: Option<Connection>,
    /// That something is forbidden was said, since it was connected to.
    is_warned: bool,
}

impl Link {
    pub(super) fn new(address: &Address) -> Result<Self, EngineError> {
        let client = Client::open(address.url.as_str()).map_err(|_| {
            EngineError::Address(
                "not an address of Redis: use redis://NAME:PASSWORD@HOST:6379/0".into(),
            )
        })?;
        Ok(Self { client, shown: address.to_string(), connection: None, is_warned: false })
    }

    pub(super) fn connect(&mut self) -> Result<(), EngineError> {
        (self.connection, self.is_warned) = (None, false);
        let connection = self.client.get_connection_with_timeout(CALL);
        let connection = connection.map_err(|error| self.error(&error))?;
        for limit in [Connection::set_read_timeout, Connection::set_write_timeout] {
            limit(&connection, Some(CALL)).map_err(|error| self.error(&error))?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    pub(super) fn ask<T>(
        &mut self,
        call: impl FnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, EngineError> {
        let Some(connection) = &mut self.connection else {
            return Err(self.unreachable("not connected"));
        };
        call(connection).map_err(|error| {
            let error = self.error(&error);
            // Whatever may still come on it is not what would be waited for.
            self.connection = None;
            error
        })
    }

    /// The same for a call that waits for long: `None` if a signal came meanwhile, or the process was stopped and went on.
    /// Its answer is passed over when it comes.
    pub(super) fn wait<T>(
        &mut self,
        call: impl FnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<Option<T>, EngineError> {
        self.ask(|it| match call(it) {
            Err(error) if is_interrupted(&error) => Ok(None),
            result => result.map(Some),
        })
    }

    /// The same for what can be done without: `None`, and a warning, where the server's rules forbid it.
    pub(super) fn ask_if_allowed<T>(
        &mut self,
        call: impl FnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<Option<T>, EngineError> {
        let answer = self.ask(|it| match call(it) {
            Err(error) if error.code() == Some("NOPERM") => Ok(None),
            result => result.map(Some),
        })?;
        if answer.is_none() && !std::mem::replace(&mut self.is_warned, true) {
            tracing::warn!(engine = %self.shown, "the server forbids what snapshots are asked for by");
        }
        Ok(answer)
    }

    /// Milliseconds of the server's clock.
    pub(super) fn time(&mut self) -> Result<u64, EngineError> {
        let (seconds, micros): (u64, u64) = self.ask(|it| cmd("TIME").query(it))?;
        Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
    }

    fn unreachable(&self, why: &str) -> EngineError {
        EngineError::Unreachable { engine: self.shown.clone(), why: why.into() }
    }

    fn error(&self, error: &RedisError) -> EngineError {
        let engine = self.shown.clone();
        let is_login = error.kind() == ErrorKind::AuthenticationFailed
            || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        if is_login {
            return EngineError::Login { engine, scheme: "redis" };
        }
        if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() {
            return self.unreachable(match error {
                _ if error.is_connection_refusal() => "connection refused",
                _ if error.is_timeout() => "no answer in time",
                _ if error.is_connection_dropped() => "the connection ended",
                _ => error.category(),
            });
        }
        let detail = error.detail().unwrap_or_default();
        EngineError::Protocol { engine, why: format!("{} {detail}", error.category()) }
    }

    pub(super) fn protocol(&self, why: &str) -> EngineError {
        EngineError::Protocol { engine: self.shown.clone(), why: why.into() }
    }
}

/// A call of the system was cut short by a signal, and can be made again.
fn is_interrupted(error: &RedisError) -> bool {
    // The crate keeps what the system said behind a pointer, which is what it hands out.
    type Kept = Arc<dyn std::error::Error + Send + Sync>;
    let kept = std::error::Error::source(error).and_then(|it| it.downcast_ref::<Kept>());
    let source = kept.and_then(|it| it.downcast_ref::<std::io::Error>());
    source.is_some_and(|error| error.kind() == std::io::ErrorKind::Interrupted)
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.shown).finish()
    }
}
