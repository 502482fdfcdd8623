//! Shares the time of a trace among its steps.
//!
//! Apart from the tree because this rule is what lets differences add up. The rule: every instant belongs to exactly one span.
//! It belongs to the root, which hands it to the child that is running then; of children that run side by side, to the one that
//! started last (of equal starts, the later in order); that child hands it on by the same rule. What no child takes is the
//! span's self time. Invariant: the self times of a tree add up to the length of its root, whatever overlaps.

use crate::traces::span::Span;

/// A stretch of time, in microseconds, its end excluded.
type Stretch = (i64, i64);

/// Sets the self time of `root` and of everything below it. Children must be in order of their start.
pub fn share(root: &mut Span) {
    let whole = vec![(root.start_us, root.end_us)];
    give(root, whole);
}

/// `owned`: ascending, not overlapping.
fn give(span: &mut Span, owned: Vec<Stretch>) {
    let mut left = owned;
    for child in span.children.iter_mut().rev() {
        let (taken, rest) = split(&left, (child.start_us, child.end_us));
        left = rest;
        give(child, taken);
    }
    span.self_us = left.iter().map(|(start, end)| end - start).sum();
}

/// The parts of `stretches` within `window`, and the parts outside.
fn split(stretches: &[Stretch], window: Stretch) -> (Vec<Stretch>, Vec<Stretch>) {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    let keep = |into: &mut Vec<Stretch>, start: i64, end: i64| {
        if start < end {
            into.push((start, end));
        }
    };
    for (start, end) in stretches.iter().copied() {
        keep(&mut outside, start, end.min(window.0));
        keep(&mut inside, start.max(window.0), end.min(window.1));
        keep(&mut outside, start.max(window.1).max(window.0), end);
    }
    (inside, outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, start_us: i64, end_us: i64, children: Vec<Span>) -> Span {
        Span { name: name.into(), start_us, end_us, children, ..Span::default() }
    }

    fn selves(span: &Span) -> Vec<(&str, i64)> {
        let mut all = vec![(span.name.as_str(), span.self_us)];
        all.extend(span.children.iter().flat_map(selves));
        all
    }

    #[test]
    fn time_is_the_childs_and_the_rest_is_self() {
        let mut root = span("root", 0, 100, vec![span("a", 10, 40, vec![]), span("b", 50, 60, vec![])]);
        share(&mut root);
        assert_eq!(selves(&root), [("root", 60), ("a", 30), ("b", 10)]);
    }

    #[test]
    fn of_siblings_that_overlap_the_one_that_started_last_has_it() {
        // c runs within b's first half; a's own child d has only what is left to a.
        let a = span("a", 0, 60, vec![span("d", 20, 60, vec![])]);
        let mut root = span("root", 0, 100, vec![a, span("b", 40, 80, vec![]), span("c", 50, 55, vec![])]);
        share(&mut root);
        assert_eq!(selves(&root), [("root", 20), ("a", 20), ("d", 20), ("b", 35), ("c", 5)]);
    }

    #[test]
    fn of_equal_starts_the_later_in_order_has_it_and_nothing_has_nothing() {
        let children = vec![span("a", 0, 10, vec![]), span("b", 0, 4, vec![]), span("none", 7, 7, vec![])];
        let mut root = span("root", 0, 10, children);
        share(&mut root);
        assert_eq!(selves(&root), [("root", 0), ("a", 6), ("b", 4), ("none", 0)]);
    }
}
