use super::{Section, html_to_text, markdown_to_text, outline};
use proptest::prelude::*;

#[test]
fn html_gives_what_a_reader_sees() {
    let html = "<!doctype html><html><head><title>no</title><style>p{}</style></head><body>\
        <h1>Head &amp; tail</h1><p>One <b>two</b>\n three<br>four</p><script>if (a < b) {}</script>\
        <ul><li><p>first</p></li><li>second<ul><li>inner</li></ul></li></ul>\
        <table><tr><th>a<th>b</tr><tr><td>1</td><td>2</td></tr></table>\
        <pre>\n x\n  y</pre><img alt='a picture' src=x><!-- no --></body></html>";
    assert_eq!(
        html_to_text(html),
        "Head & tail\n\nOne two three\nfour\n\n- first\n\n- second\n\n- inner\n\na\tb\n1\t2\n\n x\n  y\n\na picture"
    );
}

#[test]
fn broken_html_is_no_error() {
    assert_eq!(html_to_text("<p>a < b <i>c</p></b> d&unknown; &lt"), "a < b c\n\nd&unknown; <");
    assert_eq!(html_to_text("text <script> never closed"), "text");
    assert_eq!(html_to_text("<template>x<template>y</template>z</template>seen"), "seen");
    assert_eq!(html_to_text(&"<div>".repeat(100_000)), "");
    assert_eq!(html_to_text("a&nbsp;&#x1F600;b"), "a\u{a0}\u{1f600}b");
}

/// pgaskin/kepubify#29, readium/readium-js#87: an element that closes itself swallowed the rest of the page.
#[test]
fn an_element_that_closes_itself_in_a_drawing_or_in_xhtml_holds_nothing() {
    for whole in ["<style/>", "<title/>", "<script/>", "<a/><script href='x'/>", "<style>a<b</style>"] {
        assert_eq!(
            html_to_text(&format!("<p>Before</p><svg>{whole}<path d='M0'/></svg><p>After</p>")),
            "Before\n\nAfter"
        );
        assert_eq!(
            html_to_text(&format!("<p>Before</p><math>{whole}</math><p>After</p>")),
            "Before\n\nAfter"
        );
    }
    let body = "<head><title/><script src='a.js'/><style/></head><body><p>The chapter.</p><textarea/><p>More.</p></body></html>";
    let heads = [
        "<html xmlns=\"http://www.w3.org/1999/xhtml\">",
        "<?xml version='1.0'?><html>",
        "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.1//EN' 'x'><html>",
    ];
    for head in heads {
        assert_eq!(html_to_text(&format!("{head}{body}")), "The chapter.\n\nMore.", "{head}");
    }
    // In HTML the mark is of no consequence, as browsers read it.
    assert_eq!(html_to_text("<p>a</p><script/><p>b</p>"), "a");
}

#[test]
fn a_drawing_ends_where_html_begins_again() {
    assert_eq!(html_to_text("<svg><style><path/><p>text</p><script>no</script>"), "text");
    assert_eq!(html_to_text("<svg><style></svg>text"), "text");
    assert_eq!(
        html_to_text(
            "<svg><foreignObject><p>in</p><style>no</style></foreignObject><title>no</title></svg>out"
        ),
        "in\n\nout"
    );
    assert_eq!(
        html_to_text("<svg/><title>no</title>text<svg><text><![CDATA[a < b]]></text></svg>"),
        "texta < b"
    );
    assert_eq!(
        html_to_text("<?xml version='1.0'?><p><![CDATA[kept <b>]]></p><pre/><p>a  b</p>"),
        "kept <b>\n\na b"
    );
}

/// yuin/goldmark-meta#5, kevboh/longform#265: text between two rules was taken for metadata.
#[test]
fn text_between_two_rules_is_text() {
    assert_eq!(
        markdown_to_text("---\nThe code is 4711.\n---\nOrdinary.\n"),
        "The code is 4711.\n\nOrdinary."
    );
    assert_eq!(markdown_to_text("One.\n\n---\nTwo: a.\n\n---\nThree.\n"), "One.\n\nTwo: a.\n\nThree.");
    assert_eq!(markdown_to_text("+++\nprose\n+++\nmore\n"), "+++ prose +++ more");
    assert_eq!(markdown_to_text("+++\ntitle = 'x'\n[a]\nb = [\n 1\n]\n+++\nmore\n"), "more");
    assert_eq!(markdown_to_text("---\ntitle: x\ntags:\n- a\n  b\n# c\n\n...\nmore\n"), "more");
    let outline = outline("---\ntitle: x\n---\n# A\ntext\n\n---\nnot: metadata\n\n---\n# B\n");
    let sections: Vec<_> = outline.sections.iter().map(|section| section.headings.join("/")).collect();
    assert_eq!(sections, ["", "A", "B"]);
}

#[test]
fn markdown_gives_what_a_reader_sees() {
    let markdown = "---\ntitle: no\n---\n# Head *line*\n\nOne [two](http://x) `co de`\nthree  \nfour\n\n\
        - a\n- b\n  1. c\n  2. d\n- [x] done\n\n> quote\n\n```js\nlet a\n\nlet b\n```\n\n\
        | h | i |\n|---|---|\n| 1 | 2 |\n\n<div>block &amp;</div>\n\n![alt](x.png)[^1]\n\n[^1]: note\n";
    assert_eq!(
        markdown_to_text(markdown),
        "Head line\n\nOne two co de three\nfour\n\n- a\n- b\n1. c\n2. d\n- [x] done\n\nquote\n\nlet a\n\nlet b\n\n\
         h\ti\n1\t2\n\nblock &\n\nalt\n\nnote"
    );
}

fn section(start: usize, headings: &[&str]) -> Section {
    Section { start, headings: headings.iter().map(|&heading| heading.to_owned()).collect() }
}

#[test]
fn an_outline_has_the_paths_of_headings() {
    let markdown = "intro\n\n# A `b`\n\ntext\n\n## B\n\nmore\n\n  - x\n  - y\n\nSetext\n===\n\n### Deep\ntext\n> # quoted\n";
    let at = |part: &str| markdown.find(part).expect("it is there");
    let outline = outline(markdown);
    assert_eq!(
        outline.sections,
        [
            section(0, &[]),
            section(at("# A"), &["A b"]),
            section(at("## B"), &["A b", "B"]),
            section(at("Setext"), &["Setext", "Deep"]),
        ]
    );
    assert_eq!(outline.blocks, [at("  - x"), at("  - y"), at("> # quoted")]);
}

#[test]
fn a_heading_without_text_of_its_own_begins_the_next_section() {
    let outline = outline("# A\n## B\ntext\n# C\n# D\n");
    assert_eq!(outline.sections, [section(0, &["A", "B"]), section(14, &["C"]), section(18, &["D"])]);
}

proptest! {
    #[test]
    fn any_text_has_an_outline_of_its_own_bytes(text in "[#=>\\-*`|\\n \t\ra\u{e4}\u{1f468}1.\\[\\]<&;]{0,60}") {
        let outline = outline(&text);
        prop_assert_eq!(outline.sections.first().map(|section| section.start), Some(0));
        prop_assert!(outline.sections.windows(2).all(|pair| pair[0].start < pair[1].start));
        prop_assert!(outline.blocks.windows(2).all(|pair| pair[0] < pair[1]));
        let mut cuts = outline.sections.iter().map(|section| section.start).chain(outline.blocks);
        prop_assert!(cuts.all(|at| text.is_char_boundary(at)));
        let _ = (html_to_text(&text), markdown_to_text(&text));
    }
}
