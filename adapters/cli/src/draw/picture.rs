//! A screen as a picture, for pages that cannot run it.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// Width and height of a character, in pixels.
const CELL: (f32, f32) = (8.4, 18.0);

/// What is on a screen; `name` tells those who cannot see it.
pub(crate) fn svg(buffer: &Buffer, name: &str) -> String {
    let area = buffer.area();
    let (width, height) = (f32::from(area.width) * CELL.0, f32::from(area.height) * CELL.1);
    let (whole_width, whole_height) = (width + 16.0, height + 16.0);
    let mut text = format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0}" height="{h:.0}" "#,
            r#"viewBox="0 0 {w:.0} {h:.0}" role="img" aria-label="{name}">"#,
            "\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#14161b\"/>\n",
            r#"<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14" "#,
            "fill=\"#d8dee9\">\n"
        ),
        name = name,
        w = whole_width,
        h = whole_height
    );
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            x = run(buffer, x, y, &mut text);
        }
    }
    text.push_str("</g>\n</svg>\n");
    text
}

/// Writes the longest run of one style from `x` on; gives where it ends.
fn run(buffer: &Buffer, from: u16, y: u16, text: &mut String) -> u16 {
    let Some(first) = buffer.cell((from, y)) else { return u16::MAX };
    let style = (first.fg, first.modifier);
    let (mut to, mut words) = (from, String::new());
    while let Some(cell) = buffer.cell((to, y)).filter(|cell| (cell.fg, cell.modifier) == style) {
        words.push_str(cell.symbol());
        to += 1;
    }
    // Not every reader keeps blanks: those at an end are left out, and several in a row made hard, or what stands
    // between them would be spread over their place.
    let blanks = words.chars().take_while(|c| *c == ' ').count();
    let words = words.trim();
    if !words.is_empty() {
        let from = from.saturating_add(u16::try_from(blanks).unwrap_or(u16::MAX));
        let count = u16::try_from(words.chars().count()).unwrap_or(u16::MAX);
        let (left, base) = (8.0 + f32::from(from) * CELL.0, 21.0 + f32::from(y) * CELL.1);
        let length = f32::from(count) * CELL.0;
        let words = words.replace('&', "&amp;").replace('<', "&lt;").replace("  ", "\u{a0}\u{a0}");
        let look = look(style.0, style.1);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            r#"<text x="{left:.1}" y="{base:.1}" textLength="{length:.1}"{look}>{words}</text>"#
        );
    }
    to
}

fn look(colour: Color, modifier: Modifier) -> String {
    let fill = match colour {
        Color::Green => r##" fill="#8fbf7f""##,
        Color::Red => r##" fill="#e06c75""##,
        Color::Yellow => r##" fill="#e5c07b""##,
        Color::Cyan => r##" fill="#7fb7d8""##,
        _ => "",
    };
    let weight = if modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
    let dim = if modifier.contains(Modifier::DIM) { r#" opacity="0.6""# } else { "" };
    format!("{fill}{weight}{dim}")
}
