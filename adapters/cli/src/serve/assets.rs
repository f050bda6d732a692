//! The page's files, which are in the program: it works without a network.

/// One file: where it is had, its media type, and what is in it.
#[derive(Debug)]
pub(crate) struct Asset {
    path: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        Asset { path: $path, kind: $kind, text: include_str!(concat!("../../dashboard/", $file)) }
    };
}

/// For whoever may look.
pub(crate) const PAGE: Asset = asset!("/", HTML, "index.html");
/// For whoever has not shown the token yet; what is wrong is put where it says so.
pub(crate) const LOGIN: Asset = asset!("/login", HTML, "login.html");

/// They say nothing of the data, and everybody can have them.
const FILES: &[Asset] = &[
    asset!("/dashboard.css", STYLE, "dashboard.css"),
    asset!("/main.js", SCRIPT, "main.js"),
    asset!("/stream.js", SCRIPT, "stream.js"),
    asset!("/table.js", SCRIPT, "table.js"),
    asset!("/charts.js", SCRIPT, "charts.js"),
    asset!("/panels.js", SCRIPT, "panels.js"),
    asset!("/format.js", SCRIPT, "format.js"),
    asset!("/favicon.svg", "image/svg+xml", "favicon.svg"),
    asset!("/uplot/uPlot.esm.js", SCRIPT, "uplot/uPlot.esm.js"),
    asset!("/uplot/uPlot.min.css", STYLE, "uplot/uPlot.min.css"),
    asset!("/uplot/LICENSE", "text/plain; charset=utf-8", "uplot/LICENSE"),
];

impl Asset {
    pub(crate) const fn path(&self) -> &'static str {
        self.path
    }
}

/// The file that is had there.
pub(crate) fn at(path: &str) -> Option<&'static Asset> {
    FILES.iter().find(|asset| asset.path == path)
}
