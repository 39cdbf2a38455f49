/** Files that a new project needs besides its models. */
import type { ProjectFile } from './types.ts';

/**
 * Rules of taste are left out: the SQL inside the CTEs is laid out as its author wrote it. What
 * stays holds for the templates around it, and for any model that people add.
 */
const SQLFLUFF = `# Lints without a database: \`sqlfluff lint models tests\`. To lint what dbt compiles, set
# templater = dbt (it then needs sqlfluff-templater-dbt, a profile and the database).
[sqlfluff]
dialect = postgres
templater = jinja
max_line_length = 0
large_file_skip_byte_limit = 0
# Tidy Jinja tags, one newline at the end, no blank lines at the start.
rules = JJ01, LT12, LT13
# PostgreSQL takes more than sqlfluff's grammar knows (OPERATOR(…), ROWS FROM, FROM ONLY); dbt has
# PostgreSQL itself check every model.
ignore = parsing, lexing

[sqlfluff:templater:jinja]
apply_dbt_builtins = True

[sqlfluff:templater:jinja:macros]
sprocket_table_exists = {% macro sprocket_table_exists(relation) %}{{ relation }}{% endmacro %}
sprocket_required_var = {% macro sprocket_required_var(name) %}{{ name }}{% endmacro %}
`;

const GITIGNORE = `target/
logs/
dbt_packages/
.user.yml
`;

export function housekeepingFiles(): readonly ProjectFile[] {
  return [
    { path: '.sqlfluff', text: SQLFLUFF },
    { path: '.gitignore', text: GITIGNORE },
  ];
}
