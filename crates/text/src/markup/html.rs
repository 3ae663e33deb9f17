//! HTML to text, from the tokens of an HTML5 tokenizer: no tree is built, so depth costs nothing and broken markup is no error.
//!
//! Style sheets are not read: what only they hide is kept.

use super::writer::{Break, Writer};
use html5ever::{
    LocalName,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};
use std::cell::RefCell;

/// The text of an HTML document or of a part of one. Entities are decoded; scripts, styles, templates, titles and embedded
/// documents are left out; images give their `alt`, items of lists a dash, cells of tables a tab between them.
#[must_use]
pub fn html_to_text(html: &str) -> String {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink(RefCell::new(State::default())), TokenizerOpts::default());
    // Scripts are not run, so the tokenizer never stops before the end.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().writer.finish()
}

struct Sink(RefCell<State>);

#[derive(Default)]
struct State {
    writer: Writer,
    /// Open elements whose text nobody sees.
    unseen: usize,
    /// Open `pre` elements.
    verbatim: usize,
    /// Whether a line feed would be the first character of a `pre`, which does not count.
    pre_begins: bool,
    /// Open elements that change between HTML and drawings or formulas, outermost first.
    roots: Vec<Root>,
    /// Whether the document says that it is XHTML, where `<script/>` is a whole element.
    xhtml: bool,
}

/// An `svg` or `math` element, or one in it whose content is HTML again.
struct Root {
    name: LocalName,
    foreign: bool,
    /// `State::unseen` where it began: what is left open in it ends with it.
    unseen: usize,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) => match tag.kind {
                TagKind::StartTag => return state.start(&tag),
                TagKind::EndTag => state.end(&tag.name),
            },
            // The tokenizer takes an XML declaration for a comment.
            Token::CommentToken(comment) if comment.starts_with("?xml") => state.xhtml = true,
            Token::DoctypeToken(doctype) => {
                state.xhtml |= doctype.public_id.is_some_and(|id| id.contains("XHTML"));
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    /// Whether `<![CDATA[` begins text here; in HTML it begins a comment.
    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        let state = self.0.borrow();
        state.xhtml || state.in_foreign()
    }
}

/// How the content of an element is read, for those whose content is no markup.
fn raw(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(RawKind::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
        "title" | "textarea" => Some(RawKind::Rcdata),
        _ => None,
    }
}

fn is_unseen(name: &str) -> bool {
    matches!(name, "script" | "style" | "template" | "title" | "iframe" | "noembed" | "noframes")
}

/// The namespace that `<html>` names in XHTML.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

fn is_foreign_root(name: &str) -> bool {
    matches!(name, "svg" | "math")
}

/// Elements of drawings and formulas that hold HTML.
fn is_html_again(name: &str) -> bool {
    matches!(name, "foreignobject" | "desc" | "title" | "annotation-xml")
}

/// Elements that no drawing or formula has: they end one that was not closed, as browsers do.
fn ends_foreign(name: &str) -> bool {
    matches!(
        name,
        "b" | "big"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "code"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "em"
            | "embed"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "hr"
            | "i"
            | "img"
            | "li"
            | "listing"
            | "menu"
            | "meta"
            | "nobr"
            | "ol"
            | "p"
            | "pre"
            | "ruby"
            | "s"
            | "small"
            | "span"
            | "strong"
            | "strike"
            | "sub"
            | "sup"
            | "table"
            | "tt"
            | "u"
            | "ul"
            | "var"
    )
}

/// The break before and after an element.
fn part(name: &str) -> Break {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "blockquote" | "pre"
        | "table" | "figure" | "hr" | "article" | "section" | "header" | "footer" | "main" | "nav"
        | "aside" | "form" => Break::Paragraph,
        "div" | "li" | "dt" | "dd" | "tr" | "br" | "body" | "html" | "caption" | "figcaption" | "address"
        | "details" | "summary" | "fieldset" | "legend" | "option" | "thead" | "tbody" | "tfoot" | "xmp"
        | "textarea" => Break::Line,
        _ => Break::None,
    }
}

impl State {
    fn text(&mut self, text: &str) {
        if self.unseen > 0 {
            return;
        }
        if self.verbatim == 0 {
            self.writer.flow(text);
            return;
        }
        let first = std::mem::take(&mut self.pre_begins);
        self.writer.verbatim(if first { text.strip_prefix('\n').unwrap_or(text) } else { text });
    }

    fn in_foreign(&self) -> bool {
        self.roots.last().is_some_and(|root| root.foreign)
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if name == "html" && tag.attrs.iter().any(|attribute| &*attribute.value == XHTML) {
            self.xhtml = true;
        }
        if self.in_foreign() && ends_foreign(name) {
            self.leave_foreign();
        }
        let foreign = self.in_foreign();
        // `<style/>` in HTML is an open element, whose text is the rest of the page. In a drawing, and in XHTML, it is whole.
        let whole = tag.self_closing && (foreign || self.xhtml || is_foreign_root(name));
        if !whole && (is_foreign_root(name) || foreign && is_html_again(name)) {
            let root = Root { name: tag.name.clone(), foreign: is_foreign_root(name), unseen: self.unseen };
            self.roots.push(root);
        }
        if is_unseen(name) {
            self.unseen += usize::from(!whole);
        } else if self.unseen == 0 {
            self.open(name, tag);
            if whole {
                self.close(name);
            }
        }
        match raw(name) {
            Some(kind) if !whole && !foreign => TokenSinkResult::RawData(kind),
            _ => TokenSinkResult::Continue,
        }
    }

    /// Ends the drawing or formula that is open, with all in it.
    fn leave_foreign(&mut self) {
        while self.in_foreign() {
            if let Some(root) = self.roots.pop() {
                self.unseen = root.unseen;
            }
        }
    }

    fn open(&mut self, name: &str, tag: &Tag) {
        self.writer.part(part(name));
        match name {
            "li" => self.writer.mark("- "),
            "td" | "th" => self.writer.cell(),
            "tr" => self.writer.row(),
            "pre" => {
                self.verbatim += 1;
                self.pre_begins = true;
            }
            "br" if self.verbatim > 0 => self.writer.verbatim("\n"),
            "img" => {
                if let Some(alt) = tag.attrs.iter().find(|attribute| &*attribute.name.local == "alt") {
                    self.writer.flow(&alt.value);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(at) = self.roots.iter().rposition(|root| &*root.name == name) {
            self.unseen = self.roots[at].unseen;
            self.roots.truncate(at);
        } else if is_unseen(name) {
            self.unseen = self.unseen.saturating_sub(1);
            return;
        }
        if self.unseen == 0 {
            self.close(name);
        }
    }

    fn close(&mut self, name: &str) {
        if name == "pre" {
            self.verbatim = self.verbatim.saturating_sub(1);
        }
        self.writer.part(part(name));
    }
}
