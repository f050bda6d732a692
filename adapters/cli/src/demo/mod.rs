//! `kcf demo`: a simulated exchange and the real client over loopback sockets, with faults.
//!
//! ```text
//! acts   what is broken, and how one sees that it was noticed
//! stage  exchange and client: breaks, follows, compares; keeps the scene
//! scene  everything there is to see, as plain data
//! view   lines, JSON, or a screen that is drawn from the scene
//! ```

mod acts;
mod draw;
mod lines;
mod scene;
mod screen;
mod stage;
mod svg;
mod view;

use std::time::Duration;

use kucoin_futures_proto::Symbol;

use crate::args::{Connect, DemoArgs};
use crate::exit::{Failure, Kind};
use crate::stop::Stop;
use stage::Stage;
use view::View;

const SYMBOLS: [&str; 3] = ["XBTUSDTM", "ETHUSDTM", "CHRUSDTM"];
const SHORTEST: Duration = Duration::from_secs(5);

pub(crate) use view::is_on_screen;

pub(crate) fn run(connect: &Connect, args: &DemoArgs) -> Result<(), Failure> {
    if args.span < SHORTEST {
        return Err(Failure::words(Kind::Usage, "a demo needs at least 5s: try `--for 10s`"));
    }
    let symbols: Vec<Symbol> = SYMBOLS.iter().filter_map(|symbol| symbol.parse().ok()).collect();
    let mut stage = Stage::set(connect, args, &symbols)?;
    let stop = Stop::on_signal(stage.waker())?;
    let mut view = View::new(args)?;
    view.open(&stage.scene)?;
    stage.play(&mut view, &stop)?;
    let verdicts = stage.settle(&mut view, &stop)?;
    view.close(&stage.scene, &verdicts)?;
    stage.end();
    if let Some(path) = &args.svg {
        svg::write(path, &stage.scene)?;
    }
    stage.judge(&verdicts, &stop)
}
