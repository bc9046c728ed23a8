//! Owns the grammar of `$filter`: `or` over `and` over comparisons and parentheses.

use super::filter::{Expr, Field, Kind, Literal, Operator};
use super::lexer::{Token, tokens};
use super::{BadQuery, unknown_property};

/// How deep parentheses may nest; the framework has a node limit of the same order.
const MAX_DEPTH: usize = 100;

/// Understands a filter.
pub(crate) fn parse(text: &str) -> Result<Expr, BadQuery> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), text };
    let expr = parser.disjunction(0)?;
    match parser.tokens.next() {
        None => Ok(expr),
        Some(_) => Err(parser.syntax()),
    }
}

struct Parser<'t> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    text: &'t str,
}

impl Parser<'_> {
    fn syntax(&self) -> BadQuery {
        BadQuery::new(&format!("Syntax error in '{}'.", self.text))
    }

    fn eats(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(found) if found == word)).is_some()
    }

    fn disjunction(&mut self, depth: usize) -> Result<Expr, BadQuery> {
        let mut left = self.conjunction(depth)?;
        while self.eats("or") {
            left = Expr::Or(Box::new(left), Box::new(self.conjunction(depth)?));
        }
        Ok(left)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expr, BadQuery> {
        let mut left = self.comparison(depth)?;
        while self.eats("and") {
            left = Expr::And(Box::new(left), Box::new(self.comparison(depth)?));
        }
        Ok(left)
    }

    fn comparison(&mut self, depth: usize) -> Result<Expr, BadQuery> {
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            if depth >= MAX_DEPTH {
                return Err(BadQuery::new("The node count limit has been exceeded."));
            }
            let inner = self.disjunction(depth + 1)?;
            return match self.tokens.next() {
                Some(Token::Close) => Ok(inner),
                _ => Err(self.syntax()),
            };
        }
        let Some(Token::Word(name)) = self.tokens.next() else { return Err(self.syntax()) };
        let field = Field::named(&name).ok_or_else(|| unknown_property(&name))?;
        let operator = match self.tokens.next() {
            Some(Token::Word(word)) => Operator::named(&word).ok_or_else(|| self.syntax())?,
            _ => return Err(self.syntax()),
        };
        let literal = self.literal(field, &name)?;
        Ok(Expr::Compare(field, operator, literal))
    }

    fn literal(&mut self, field: Field, name: &str) -> Result<Literal, BadQuery> {
        let token = self.tokens.next().ok_or_else(|| self.syntax())?;
        match (field.kind(), token) {
            (_, Token::Word(word)) if word == "null" => Ok(Literal::Null),
            (Kind::Time, Token::Time(at)) => Ok(Literal::Time(at.thirds())),
            (Kind::Integer, Token::Number(number)) => Ok(Literal::Integer(number)),
            (Kind::Text, Token::Text(text)) => Ok(Literal::Text(text)),
            (_, Token::Open | Token::Close) => Err(self.syntax()),
            _ => Err(BadQuery::new(&format!(
                "A binary operator with incompatible types was detected at property '{name}'."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_closer_than_or() {
        let expr = parse("id eq 'a' or id eq 'b' and status eq 'New'").expect("valid");
        assert!(matches!(expr, Expr::Or(_, right) if matches!(*right, Expr::And(_, _))));
    }

    #[test]
    fn types_must_fit() {
        for text in [
            "id eq 5",
            "incidentId eq '5'",
            "lastUpdateTime ge '2026-01-01T00:00:00Z'",
            "status eq New",
            "title eq 'x'",
            "asssignedTo eq 'x'",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("assignedTo eq null").is_ok());
        assert!(parse("InvestigationId eq 1").is_ok(), "the documentation writes this name with a capital");
    }

    #[test]
    fn broken_grammar() {
        for text in [
            "",
            "(id eq 'a'",
            "id eq 'a')",
            "id eq",
            "id",
            "and",
            "id eq 'a' id eq 'b'",
            "id like 'a'",
            "not id eq 'a'",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("{}id eq 'a'{}", "(".repeat(200), ")".repeat(200));
        assert!(parse(&deep).is_err());
    }
}
