//! `kcf watch`: an exchange on a screen.
//!
//! ```text
//!  feed's thread                                   screen's thread
//!  feed ─> monitor ─ look, 10 a second ─> slot ──> draws the latest: a terminal that blocks, blocks this one only
//!              ^ whose book is wanted <── wishes ─── keys
//! ```

mod draw;
mod plain;
mod screen;
mod slot;
mod ui;
mod view;

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kucoin_futures_host::credentials_from_env;
use kucoin_futures_proto::{Instant, Symbol};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::args::{Connect, WatchArgs};
use crate::draw::{Theme, svg};
use crate::exit::{Failure, Kind};
use crate::follow::Session;
use crate::monitor::{Again, Monitor, Watched, channels};
use crate::out::{DIM, Out};
use crate::private::failure_of_credentials;
use crate::words;
use screen::Screen;
use slot::Slot;
use ui::{Sort, Ui, Wish};
use view::{From, TALL, View};

/// The feed's thread makes a picture so often.
const FRAME: Duration = Duration::from_millis(100);
/// Columns and rows of a picture for pages.
const PICTURE: (u16, u16) = (120, 40);

/// Whether the terminal is taken over.
pub(crate) fn is_on_screen(args: &WatchArgs) -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !args.plain && args.svg.is_none() && !dumb && std::io::stdout().is_terminal()
}

pub(crate) fn run(connect: &Connect, args: &WatchArgs) -> Result<(), Failure> {
    let stream = &args.stream;
    if stream.run.json {
        let text = "watch is for eyes; `kcf book`, `kcf trades`, `kcf instrument` and `kcf stats` say the \
                    same for machines, with --json";
        return Err(Failure::words(Kind::Usage, text));
    }
    let credentials = credentials_from_env().map_err(failure_of_credentials)?;
    let has_account = credentials.is_some();
    let mut session = Session::open(connect, &stream.run, stream.lines, credentials)?;
    let symbols = session.symbols(&stream.contracts)?;
    // Of all there are, what most people look for.
    let bitcoin = symbols.iter().find(|symbol| symbol.as_str() == "XBTUSDTM");
    let bitcoin = bitcoin.filter(|_| stream.contracts.all);
    let Some(first) = bitcoin.or_else(|| symbols.first()).copied() else { return Ok(()) };
    if has_account {
        session.follow_account()?;
    }
    session.subscribe(channels(&symbols))?;
    let monitor = Monitor::new(&symbols, has_account, session.now());
    let host = stream.run.url.split_once("://").map_or("", |(_, rest)| rest);
    // What stands before an @ may be a password.
    let host = host.rsplit('@').next().unwrap_or_default().trim_end_matches('/').to_owned();
    let from = From { host, runtime: connect.runtime.name() };
    if is_on_screen(args) {
        on_screen(session, monitor, from, first)
    } else {
        plain(session, monitor, &from, first, args.svg.as_deref())
    }
}

fn on_screen(
    mut session: Session<'_>,
    monitor: Monitor,
    from: From,
    first: Symbol,
) -> Result<(), Failure> {
    session.silence();
    let sort = if monitor.contracts().len() > 1 { Sort::Volume } else { Sort::Name };
    let ui = Ui::new(first, sort, session.now());
    let (slot, (wishes, wished)) = (Slot::new(), channel());
    let link = screen::Link {
        slot: slot.clone(),
        wishes,
        wake: session.waker(),
        stop: session.stop(),
        clock: session.clock(),
    };
    let screen = Screen::open(ui, link)?;
    let mut watched = Watched::new(monitor, looks(&slot, wished, &from, first));
    let result = session.run(&mut watched);
    slot.close();
    let was_left = screen.leave();
    // Why it ended comes first: a screen that cannot be left is the lesser trouble.
    result?;
    let was_left = was_left?;
    // Whoever has left a screen sees what it came to; a terminal that is stuck would not show it.
    if was_left {
        let mut out = Out::new();
        let text = words::summary_text(&watched.monitor().stats);
        out.line(format_args!("{DIM}{text}{DIM:#}"))?;
        out.flush()?;
    }
    Ok(())
}

/// Makes a picture when it is time, or at once when another contract is wanted; waits for nobody.
fn looks<'a>(
    slot: &'a Slot<View>,
    wished: Receiver<Wish>,
    from: &'a From,
    first: Symbol,
) -> impl FnMut(&mut Monitor, &mut crate::follow::Ctx, &crate::feed::Feed) -> Result<Again, Failure> + 'a
{
    let mut chosen = first;
    let mut due: Option<Instant> = None;
    move |monitor, cx, feed| {
        while let Ok(Wish::Show(symbol)) = wished.try_recv() {
            (chosen, due) = (symbol, None);
        }
        if let Some(due) = due.filter(|due| *due > cx.now) {
            return Ok(Again::Within(due.since(cx.now)));
        }
        due = Some(cx.now + FRAME);
        monitor.focus(vec![chosen], TALL);
        monitor.look(feed, cx.now);
        slot.put(View::of(monitor, from, chosen));
        Ok(Again::Within(FRAME))
    }
}

fn plain(
    session: Session<'_>,
    monitor: Monitor,
    from: &From,
    first: Symbol,
    picture: Option<&Path>,
) -> Result<(), Failure> {
    let now = session.now();
    let mut last = None;
    let mut due = now + plain::EVERY;
    let mut watched = Watched::new(monitor, |monitor, cx, feed| {
        if cx.now < due {
            return Ok(Again::Within(due.since(cx.now)));
        }
        due = cx.now + plain::EVERY;
        monitor.focus(vec![first], TALL);
        monitor.look(feed, cx.now);
        let view = View::of(monitor, from, first);
        plain::tell(&mut cx.out, &view)?;
        last = Some(view);
        Ok(Again::Within(plain::EVERY))
    });
    session.run(&mut watched)?;
    match (picture, last) {
        (Some(path), Some(view)) => write_picture(path, &view),
        (Some(_), None) => {
            Err(Failure::words(Kind::Usage, "--svg: there is nothing to see yet; --for 10s"))
        }
        _ => Ok(()),
    }
}

/// The screen as it would be.
fn write_picture(path: &Path, view: &View) -> Result<(), Failure> {
    let chosen = view.chosen.as_ref().map(|chosen| chosen.row.symbol);
    let Some(chosen) = chosen else { return Ok(()) };
    let ui = Ui::new(chosen, Sort::Volume, view.looked.at);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(PICTURE.0, PICTURE.1));
    let Ok(_) = terminal.draw(|frame| draw::draw(frame, Some(view), &ui, Theme::new(true)));
    let picture = svg(terminal.backend().buffer(), "kcf watch in a terminal");
    std::fs::write(path, picture).map_err(|error| {
        Failure::words(Kind::Usage, format_args!("--svg {}: {error}", path.display()))
    })
}
