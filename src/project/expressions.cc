#include "project/expressions.h"

namespace ganglion::project {

ExpressionReader Expressions::reader(const Names& names) {
  return ExpressionReader(
      diagnostics_, [this, names](const Field& field, const expr::Reference& reference, std::size_t offset) {
        check(field, reference, offset, names);
      });
}

expr::Template Expressions::value(const Field& field, const Names& names) {
  return reader(names).value(field);
}

std::optional<expr::Program> Expressions::condition(const Field& field, const Names& names) {
  return reader(names).condition(field);
}

std::optional<expr::Template> Expressions::list(const Field& field, const Names& names) {
  return reader(names).list(field);
}

expr::Template Expressions::duration(const Field& field, const Names& names) {
  return reader(names).duration(field);
}

}  // namespace ganglion::project
