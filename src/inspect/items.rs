//! Tokens cut into items: good enough to name the function around a place and
//! to see which items an update touched. No grammar is checked.

use super::lex::{Kind, Tokens};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ItemKind {
    Fn,
    Type,
    Static,
    Const,
    Use,
    /// The head of an implementation; what is in it are items of their own.
    Impl,
    /// The head of a trait.
    Trait,
    /// A block of functions of another language.
    Extern,
    /// A macro, defined or used.
    Macro,
    Other,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) kind: ItemKind,
    /// `module::Type::function`, `<Type as Trait>::function`.
    pub(super) name: String,
    /// Its first token, attributes included.
    pub(super) start: usize,
    /// The token behind its last one.
    pub(super) end: usize,
    /// Whether it is `pub` without a restriction, and so is all around it.
    pub(super) public: bool,
}

/// What stands around items.
struct Around {
    end: usize,
    prefix: String,
    public: bool,
}

/// Items that are nested deeper in modules and implementations are one item.
const DEEPEST: usize = 32;

/// The items of a source; those that are compiled for tests only are left out.
pub(super) fn items(tokens: &Tokens<'_>) -> Vec<Item> {
    let mut found = Vec::new();
    let mut around = vec![Around {
        end: tokens.len(),
        prefix: String::new(),
        public: true,
    }];
    let mut at = 0;
    while at < tokens.len() {
        while around.len() > 1 && around.last().is_some_and(|outer| at >= outer.end) {
            around.pop();
        }
        let Some(outer) = around.last() else { break };
        let head = Head::read(tokens, at);
        if head.keyword >= outer.end {
            at = outer.end + 1;
            continue;
        }
        let cut = head.cut(tokens, outer);
        // A bracket or a mark that belongs to nothing is no item.
        let stray = tokens.kind(head.keyword) != Kind::Ident;
        if !head.test && !stray {
            found.push(Item {
                kind: cut.kind,
                name: cut.name.clone(),
                start: at,
                end: cut.head_end.min(outer.end),
                public: outer.public && (head.public || cut.inherits),
            });
        }
        match cut.inside {
            Some((open, close)) if !head.test && around.len() < DEEPEST => {
                let public = outer.public && (head.public || cut.kind != ItemKind::Other);
                around.push(Around {
                    end: close.min(outer.end),
                    prefix: cut.name,
                    public,
                });
                at = open + 1;
            }
            Some((_, close)) => at = (close + 1).max(at + 1),
            None => at = cut.head_end.max(at + 1),
        }
    }
    found
}

/// Attributes, visibility and qualifiers of an item.
struct Head {
    /// The token that says what it is.
    keyword: usize,
    public: bool,
    test: bool,
}

/// What an item turned out to be.
struct Cut {
    kind: ItemKind,
    name: String,
    /// The token behind the part that is looked at as this item.
    head_end: usize,
    /// The brackets in which further items stand.
    inside: Option<(usize, usize)>,
    /// Whether it is as public as what is around it.
    inherits: bool,
}

impl Head {
    fn read(tokens: &Tokens<'_>, mut at: usize) -> Self {
        let mut test = false;
        loop {
            let mark = at + 1 + usize::from(tokens.punct(at + 1, b'!'));
            if tokens.punct(at, b'#') && tokens.kind(mark) == Kind::Open(b'[') {
                test |= is_test(tokens, mark);
                at = tokens.close(mark) + 1;
            } else {
                break;
            }
        }
        let mut public = false;
        if tokens.is(at, "pub") {
            at += 1;
            public = tokens.kind(at) != Kind::Open(b'(');
            if !public {
                at = tokens.close(at) + 1;
            }
        }
        loop {
            let next_is_item = |at: usize| {
                ["fn", "unsafe", "extern", "async", "impl", "trait", "mod"]
                    .iter()
                    .any(|word| tokens.is(at, word))
            };
            let qualifier = ["unsafe", "async", "default", "const", "safe", "auto"]
                .iter()
                .any(|word| tokens.is(at, word))
                && next_is_item(at + 1);
            if qualifier {
                at += 1;
            } else if tokens.is(at, "extern")
                && tokens.kind(at + 1) == Kind::Text
                && tokens.is(at + 2, "fn")
            {
                at += 2;
            } else if tokens.is(at, "extern") && tokens.is(at + 1, "fn") {
                at += 1;
            } else {
                break;
            }
        }
        Self {
            keyword: at,
            public,
            test,
        }
    }

    fn cut(&self, tokens: &Tokens<'_>, outer: &Around) -> Cut {
        let at = self.keyword;
        let named = |offset: usize| join(&outer.prefix, tokens.str(at + offset));
        let leaf = |kind, name, head_end| Cut {
            kind,
            name,
            head_end,
            inside: None,
            inherits: false,
        };
        match tokens.str(at) {
            "fn" => leaf(ItemKind::Fn, named(1), block_end(tokens, at)),
            "struct" | "enum" => leaf(ItemKind::Type, named(1), block_end(tokens, at)),
            "union" if tokens.kind(at + 1) == Kind::Ident => {
                leaf(ItemKind::Type, named(1), block_end(tokens, at))
            }
            "type" => leaf(ItemKind::Type, named(1), line_end(tokens, at)),
            "static" => {
                let offset = 1 + usize::from(tokens.is(at + 1, "mut"));
                leaf(ItemKind::Static, named(offset), line_end(tokens, at))
            }
            "const" => leaf(ItemKind::Const, named(1), line_end(tokens, at)),
            "use" => leaf(
                ItemKind::Use,
                join(&outer.prefix, "use"),
                line_end(tokens, at),
            ),
            "mod" | "trait" | "impl" => self.container(tokens, outer),
            "extern" if tokens.is(at + 1, "crate") => leaf(
                ItemKind::Use,
                join(&outer.prefix, "use"),
                line_end(tokens, at),
            ),
            "extern" => Cut {
                inherits: true,
                ..leaf(
                    ItemKind::Extern,
                    join(&outer.prefix, "extern"),
                    block_end(tokens, at),
                )
            },
            "macro_rules" => leaf(ItemKind::Macro, named(2), block_end(tokens, at)),
            name if tokens.kind(at) == Kind::Ident => {
                let name = join(&outer.prefix, name);
                leaf(ItemKind::Macro, name, block_end(tokens, at))
            }
            _ => leaf(ItemKind::Other, outer.prefix.clone(), at + 1),
        }
    }

    fn container(&self, tokens: &Tokens<'_>, outer: &Around) -> Cut {
        let at = self.keyword;
        let open = first_block(tokens, at);
        let (kind, name) = if tokens.is(at, "impl") {
            let name = implemented(tokens, at + 1, open);
            (ItemKind::Impl, join(&outer.prefix, &name))
        } else if tokens.is(at, "trait") {
            (ItemKind::Trait, join(&outer.prefix, tokens.str(at + 1)))
        } else {
            (ItemKind::Other, join(&outer.prefix, tokens.str(at + 1)))
        };
        let block = tokens.kind(open) == Kind::Open(b'{');
        Cut {
            kind,
            name,
            head_end: open + 1,
            inside: block.then(|| (open, tokens.close(open))),
            inherits: kind == ItemKind::Impl,
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}::{name}")
    }
}

/// Whether the attribute in these brackets says "for tests only".
pub(super) fn is_test(tokens: &Tokens<'_>, open: usize) -> bool {
    let close = tokens.close(open);
    if tokens.is(open + 1, "test") {
        return true;
    }
    if !tokens.is(open + 1, "cfg") {
        return false;
    }
    // `any(test, …)` and `not(test)` are compiled for others too.
    let words = |word: &str| (open + 2..close).any(|at| tokens.is(at, word));
    words("test") && !words("not") && !words("any")
}

/// The end of an item that ends with a block or a semicolon.
fn block_end(tokens: &Tokens<'_>, at: usize) -> usize {
    let end = first_block(tokens, at);
    if tokens.kind(end) != Kind::Open(b'{') {
        return end + 1;
    }
    let mut after = tokens.close(end) + 1;
    // A macro used with braces in a place where a semicolon may follow.
    if tokens.punct(after, b';') {
        after += 1;
    }
    after
}

/// The first opening brace or semicolon outside of brackets.
fn first_block(tokens: &Tokens<'_>, mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens.kind(at) {
            Kind::Open(b'{') | Kind::Punct(b';') | Kind::Close(_) => return at,
            Kind::Open(_) => at = tokens.close(at) + 1,
            Kind::Ident
            | Kind::Lifetime
            | Kind::Text
            | Kind::Char
            | Kind::Number
            | Kind::Punct(_) => at += 1,
        }
    }
    at
}

/// The end of an item that ends with a semicolon.
fn line_end(tokens: &Tokens<'_>, mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens.kind(at) {
            Kind::Punct(b';') => return at + 1,
            Kind::Close(_) => return at,
            Kind::Open(_) => at = tokens.close(at) + 1,
            Kind::Ident
            | Kind::Lifetime
            | Kind::Text
            | Kind::Char
            | Kind::Number
            | Kind::Punct(_) => at += 1,
        }
    }
    at
}

/// What an `impl` is of: `Type` or `<Type as Trait>`.
fn implemented(tokens: &Tokens<'_>, start: usize, end: usize) -> String {
    let mut depth = 0_i32;
    // The last name outside of angle brackets, before and behind `for`.
    let (mut before, mut after) = ("", None);
    for at in start..end {
        match tokens.kind(at) {
            Kind::Punct(b'<') => depth += 1,
            Kind::Punct(b'>') if !tokens.punct(at.wrapping_sub(1), b'-') => depth -= 1,
            Kind::Ident if depth == 0 => match tokens.str(at) {
                "where" => break,
                "for" => after = Some(""),
                "dyn" | "mut" | "const" | "unsafe" => {}
                name => match &mut after {
                    Some(name_after) => *name_after = name,
                    None => before = name,
                },
            },
            Kind::Ident
            | Kind::Lifetime
            | Kind::Text
            | Kind::Char
            | Kind::Number
            | Kind::Punct(_)
            | Kind::Open(_)
            | Kind::Close(_) => {}
        }
    }
    match after {
        Some(name) => format!("<{name} as {before}>"),
        None => before.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        let tokens = Tokens::of(source.as_bytes()).unwrap();
        items(&tokens)
            .into_iter()
            .map(|item| {
                format!(
                    "{:?} {}{}",
                    item.kind,
                    if item.public { "pub " } else { "" },
                    item.name
                )
            })
            .collect()
    }

    #[test]
    fn items_are_named_by_what_is_around_them() {
        let source = "
            #![no_std]
            use a::{b, c};
            pub const fn f<const N: usize>(x: [u8; { 3 }]) -> u8 { 1 }
            pub static mut G: u8 = { 2 };
            pub struct S<T>(T);
            impl<T: Fn() -> u8> Drop for S<T> where T: X { fn drop(&mut self) { g!(); } }
            impl<'a> S<&'a str> { pub(crate) unsafe fn raw(&self) {} }
            mod inner { pub extern \"C\" fn cb() {} pub mod more { pub enum E { A } } }
            pub mod open { pub trait T { fn t(&self) {} const C: u8; } }
            extern \"C\" { fn foreign(); }
            thread_local! { static X: u8 = 1; }
            macro_rules! m { () => { fn no() {} } }
            #[cfg(test)] mod tests { fn t() {} }
            #[cfg(any(test, x))] fn both() {}";
        assert_eq!(
            names(source),
            [
                "Use use",
                "Fn pub f",
                "Static pub G",
                "Type pub S",
                "Impl pub <S as Drop>",
                "Fn <S as Drop>::drop",
                "Impl pub S",
                "Fn S::raw",
                "Other inner",
                "Fn inner::cb",
                "Other inner::more",
                "Type inner::more::E",
                "Other pub open",
                "Trait pub open::T",
                "Fn open::T::t",
                "Const open::T::C",
                "Extern pub extern",
                "Macro thread_local",
                "Macro m",
                "Fn both",
            ]
        );
    }

    #[test]
    fn deep_nesting_and_broken_code_are_cut_into_items() {
        let deep = "mod a { ".repeat(10_000);
        assert!(!names(&deep).is_empty());
        let broken = "fn } impl { ) mod x fn a( { ; pub pub( use";
        assert!(!names(broken).is_empty());
        let angles = format!("impl {}A for B {{}}", "A<".repeat(50_000));
        assert_eq!(names(&angles).len(), 1);
    }
}
