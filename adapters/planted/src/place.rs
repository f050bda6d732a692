//! Places: the statement or the match arm that begins where a marker's code begins, and its parts.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Block, Expr, File, Pat, Stmt};

/// What a marker stands above.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// A statement; whether it is the last one of its block.
    Statement(&'a Stmt, bool),
    /// A match arm.
    Arm(&'a Arm),
}

/// Part of an expression, as bytes of the text.
pub(crate) struct Piece<'a> {
    /// The bytes.
    pub(crate) range: Range<usize>,
    /// The expression, where it is one.
    pub(crate) expr: Option<&'a Expr>,
}

/// Where `node` stands in the text.
pub(crate) fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

impl<'a> Place<'a> {
    /// The innermost place that begins with the byte at `at`.
    pub(crate) fn find(file: &'a File, at: usize) -> Option<Self> {
        let mut search = Search { at, found: None };
        search.visit_file(file);
        search.found
    }

    /// What it is, for people.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Arm(_) => "a match arm",
            Self::Statement(Stmt::Local(_), _) => "a `let`",
            Self::Statement(Stmt::Item(_), _) => "an item",
            Self::Statement(Stmt::Macro(_), _) => "a macro",
            Self::Statement(Stmt::Expr(expr, semicolon), is_last) => match expr {
                Expr::If(_) => "an `if`",
                Expr::While(_) => "a `while`",
                Expr::Assign(_) => "an assignment",
                Expr::Return(_) => "a `return`",
                _ if is_last && semicolon.is_none() => "the last expression of a block",
                _ => "a statement",
            },
        }
    }

    /// The condition that it depends on, without what is bound by `let`.
    pub(crate) fn condition(self) -> Option<Piece<'a>> {
        match self {
            Self::Statement(Stmt::Expr(Expr::If(it), _), _) => behind_let(&it.cond),
            Self::Statement(Stmt::Expr(Expr::While(it), _), _) => behind_let(&it.cond),
            Self::Arm(Arm { pat: Pat::Guard(it), .. }) => behind_let(&it.guard),
            _ => None,
        }
    }

    /// The value that it assigns, returns or is.
    pub(crate) fn value(self) -> Option<&'a Expr> {
        match self {
            Self::Arm(arm) => Some(&arm.body),
            Self::Statement(Stmt::Local(it), _) => it.init.as_ref().map(|init| &*init.expr),
            Self::Statement(Stmt::Expr(Expr::Assign(it), _), _) => Some(&it.right),
            Self::Statement(Stmt::Expr(Expr::Return(it), _), _) => it.expr.as_deref(),
            Self::Statement(Stmt::Expr(Expr::Binary(it), _), _) if is_assignment(&it.op) => {
                Some(&it.right)
            }
            Self::Statement(Stmt::Expr(expr, None), true) => Some(expr),
            Self::Statement(..) => None,
        }
    }
}

struct Search<'a> {
    at: usize,
    found: Option<Place<'a>>,
}

impl<'a> Visit<'a> for Search<'a> {
    fn visit_block(&mut self, block: &'a Block) {
        for (index, statement) in (1..).zip(&block.stmts) {
            if range(statement).start == self.at {
                self.found = Some(Place::Statement(statement, index == block.stmts.len()));
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_arm(&mut self, arm: &'a Arm) {
        if range(arm).start == self.at {
            self.found = Some(Place::Arm(arm));
        }
        visit::visit_arm(self, arm);
    }
}

fn behind_let(condition: &Expr) -> Option<Piece<'_>> {
    let mut behind: Option<Piece<'_>> = None;
    let mut rest = condition;
    loop {
        let (before, operand) = match rest {
            Expr::Binary(and) if matches!(and.op, BinOp::And(_)) => (Some(&*and.left), &*and.right),
            last => (None, last),
        };
        if matches!(operand, Expr::Let(_)) {
            return behind;
        }
        behind = Some(match behind {
            Some(piece) => Piece { range: range(operand).start..piece.range.end, expr: None },
            None => Piece { range: range(operand), expr: Some(operand) },
        });
        let Some(before) = before else {
            // There is no `let`.
            return Some(Piece { range: range(condition), expr: Some(condition) });
        };
        rest = before;
    }
}

const fn is_assignment(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
