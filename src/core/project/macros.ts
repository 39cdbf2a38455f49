/** The macros that a rendered project brings along: plain dbt, nothing to install. */

export interface Macro {
  /** Names that the file defines; a project can hold each only once. */
  readonly defines: readonly string[];
  readonly file: string;
  readonly text: string;
}

/** `+schema` word for word: tables keep the schema that readers know them by. */
export const SCHEMA_MACRO: Macro = {
  defines: ['generate_schema_name'],
  file: 'generate_schema_name.sql',
  text: `{#- A model's schema is used as it is written, without the target's schema in front: the tables
    keep the names that downstream readers know. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name is not none else target.schema }}
{%- endmacro %}
`,
};

/** The same for the migrated models only, in a project that had models before. */
export const ADDED_SCHEMA_MACRO: Macro = {
  defines: ['generate_schema_name'],
  file: 'generate_schema_name.sql',
  text: `{#- Models that replace a stored procedure keep the schema of its table, so that downstream readers
    notice nothing. All other models are placed as dbt does by default. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is not none and node.config.get('meta', {}).get('sprocket') -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ default__generate_schema_name(custom_schema_name, node) }}
    {%- endif -%}
{%- endmacro %}
`,
};

export const ROWS_MACRO: Macro = {
  defines: [
    'get_incremental_replace_rows_sql',
    'get_incremental_merge_rows_sql',
    'get_incremental_append_rows_sql',
    'sprocket_write_rows',
    'sprocket_table_facts',
  ],
  file: 'write_rows.sql',
  text: `{#- Incremental strategies that change the rows of a table and leave the table itself alone: its
    grants, indexes, keys, identity, triggers, and the views and foreign keys that hang on it stay.

    replace_rows  the table holds exactly the model's rows afterwards
    merge_rows    rows with a key that the model gives are replaced, others are added
    append_rows   the model's rows are added

    merge_rows and append_rows do what dbt's merge and append do, also for identity columns that are
    GENERATED ALWAYS. -#}
{% macro get_incremental_replace_rows_sql(arg_dict) %}
    {{ return(sprocket_write_rows(arg_dict, remove=true)) }}
{% endmacro %}

{% macro get_incremental_merge_rows_sql(arg_dict) %}
    {{ return(sprocket_write_rows(arg_dict, remove=false)) }}
{% endmacro %}

{% macro get_incremental_append_rows_sql(arg_dict) %}
    {%- do arg_dict.update({'unique_key': none}) -%}
    {{ return(sprocket_write_rows(arg_dict, remove=false)) }}
{% endmacro %}

{% macro sprocket_write_rows(arg_dict, remove) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set rows = arg_dict['temp_relation'] -%}
    {%- set key = arg_dict['unique_key'] or [] -%}
    {%- set facts = sprocket_table_facts(target, key) -%}
    {%- set columns = [] -%}
    {%- for column in arg_dict['dest_columns'] -%}
        {%- set quoted = '"' ~ column.name.replace('"', '""') ~ '"' -%}
        {%- if quoted not in facts.generated_columns -%}{%- do columns.append(quoted) -%}{%- endif -%}
    {%- endfor -%}
    {%- set column_list = columns | join(', ') -%}

    {%- if not key %}
        {%- if remove %}
    {{ 'delete from' if facts.referenced else 'truncate table' }} {{ target }};
        {%- endif %}
    insert into {{ target }} ({{ column_list }})
    overriding system value
    select {{ column_list }} from {{ rows }}
    {%- else -%}

    {%- set same_key = [] -%}
    {%- for column in key -%}
        {%- do same_key.append('old.' ~ column ~ ' = new.' ~ column) -%}
    {%- endfor -%}
    {%- set same_key = same_key | join(' and ') -%}
    {%- set changed = [] -%}
    {%- set assignments = [] -%}
    {%- for column in columns if column not in facts.key_columns -%}
        {#- Equal is not the same: 1.0 and 1.00, one day and 24 hours. Their texts differ. -#}
        {%- set text = '' if column in facts.plain_columns else '::text collate "C"' -%}
        {%- set stored = '::' ~ facts.rounding_types[column] if column in facts.rounding_types else '' -%}
        {%- do changed.append('old.' ~ column ~ text ~ ' is distinct from new.' ~ column ~ stored ~ text) -%}
        {%- do assignments.append(column ~ ' = new.' ~ column) -%}
    {%- endfor -%}
    {%- set changed = changed | join('\\n        or ') -%}

    -- fails where the model gives a key twice, as the procedure's INSERT would
    create unique index on {{ rows }} ({{ key | join(', ') }});
    analyze {{ rows }};
        {%- set leaving = [] -%}
        {%- if remove -%}
            {%- do leaving.append('not exists (\\n        select 1 from ' ~ rows ~ ' as new where ' ~ same_key ~ '\\n    )') -%}
        {%- endif -%}
        {%- if changed and not facts.update_rows -%}
            {%- do leaving.append('exists (\\n        select 1 from ' ~ rows ~ ' as new where ' ~ same_key ~ ' and (\\n        ' ~ changed ~ ')\\n    )') -%}
        {%- endif -%}
        {%- if leaving %}
    delete from {{ target }} as old
    where {{ leaving | join(' or ') }};
        {%- endif %}
        {%- if changed and facts.update_rows %}
    update {{ target }} as old
    set {{ assignments | join(',\\n        ') }}
    from {{ rows }} as new
    where {{ same_key }} and (
        {{ changed }});
        {%- endif %}
    -- into a table that was empty, a nested loop would go through all new rows again for each of them
    set local enable_nestloop = off;
    insert into {{ target }} ({{ column_list }})
    overriding system value
    select {{ column_list }} from {{ rows }} as new
    where not exists (
        select 1 from {{ target }} as old where {{ same_key }}
    );
    reset enable_nestloop
    {%- endif %};
    -- what reads the table next must not be planned for the rows that it held before
    analyze {{ target }}
{% endmacro %}

{#- What decides how rows can be changed. Rows are updated, unless that could trip over a second
    unique index half-way through, or an identity column would have to change. -#}
{% macro sprocket_table_facts(relation, key) %}
    {%- set name = relation.render().replace("'", "''") -%}
    {%- set quoted = [] -%}
    {%- for column in key -%}
        {%- do quoted.append(column if column.startswith('"') else '"' ~ column ~ '"') -%}
    {%- endfor -%}
    {%- set facts = {
        'key_columns': quoted, 'plain_columns': [], 'rounding_types': {}, 'generated_columns': [],
        'referenced': false, 'update_rows': true
    } -%}
    {%- set columns -%}
        select
            '"' || replace(attname, '"', '""') || '"' as column_name,
            atttypid in (
                'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype, 'date'::regtype,
                'timestamp'::regtype, 'timestamptz'::regtype, 'uuid'::regtype, 'bytea'::regtype
            ) as is_plain,
            case when atttypmod <> -1 and atttypid in (
                'numeric'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'time'::regtype,
                'timetz'::regtype, 'interval'::regtype
            ) then format_type(atttypid, atttypmod) end as rounding_type,
            attidentity = 'a' as is_identity,
            attgenerated <> '' as is_generated
        from pg_catalog.pg_attribute
        where attrelid = '{{ name }}'::regclass and attnum > 0 and not attisdropped
    {%- endset -%}
    {%- for column in run_query(columns) -%}
        {%- if column['is_plain'] -%}{%- do facts.plain_columns.append(column['column_name']) -%}{%- endif -%}
        {%- if column['rounding_type'] -%}{%- do facts.rounding_types.update({column['column_name']: column['rounding_type']}) -%}{%- endif -%}
        {%- if column['is_generated'] -%}{%- do facts.generated_columns.append(column['column_name']) -%}{%- endif -%}
        {%- if column['is_identity'] and column['column_name'] not in quoted -%}
            {%- do facts.update({'update_rows': false}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set surroundings -%}
        select
            exists (select 1 from pg_catalog.pg_constraint where confrelid = '{{ name }}'::regclass) as is_referenced,
            (select count(*) from pg_catalog.pg_index where indrelid = '{{ name }}'::regclass and indisunique) as unique_indexes
    {%- endset -%}
    {%- set found = run_query(surroundings)[0] -%}
    {%- do facts.update({'referenced': found['is_referenced']}) -%}
    {%- if found['unique_indexes'] > 1 and not found['is_referenced'] -%}{%- do facts.update({'update_rows': false}) -%}{%- endif -%}
    {{ return(facts) }}
{% endmacro %}
`,
};

export const VIEW_MACRO: Macro = {
  defines: ['materialization_view_in_place_default'],
  file: 'view_in_place.sql',
  text: `{#- A view that is replaced where it stands: its grants and the views over it stay, which dbt's own
    materialization drops. Where columns are renamed or removed, PostgreSQL refuses; drop it by hand. -#}
{% materialization view_in_place, default %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        create or replace view {{ target_relation }} as (
            {{ sql }}
        );
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
`,
};

export const TABLE_EXISTS_MACRO: Macro = {
  defines: ['sprocket_table_exists'],
  file: 'table_exists.sql',
  text: `{#- True where a table is there already; before the very first run it may not be. -#}
{% macro sprocket_table_exists(relation) %}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {{ return(adapter.get_relation(relation.database, relation.schema, relation.identifier) is not none) }}
{% endmacro %}
`,
};

export const REQUIRED_VAR_MACRO: Macro = {
  defines: ['sprocket_required_var'],
  file: 'required_var.sql',
  text: `{#- A variable that stands for a parameter without a default. -#}
{% macro sprocket_required_var(name) %}
    {%- set value = var(name, none) -%}
    {%- if execute and value is none -%}
        {%- do exceptions.raise_compiler_error("The variable '" ~ name ~ "' has no value. Give it an SQL expression: dbt build --vars '{" ~ name ~ ": ...}', or set it in dbt_project.yml.") -%}
    {%- endif -%}
    {{ return(value) }}
{% endmacro %}
`,
};

export const ADVANCE_SEQUENCE_MACRO: Macro = {
  defines: ['sprocket_advance_sequence'],
  file: 'advance_sequence.sql',
  text: `{#- Moves the sequence of a serial or identity column past the keys that the model has handed out, so
    that whoever else inserts into the table gets a free one. A sequence that the column does not own
    is named; where dbt made the table it may not be there. -#}
{% macro sprocket_advance_sequence(column, sequence=none) %}
    {%- set table = this.render().replace("'", "''") -%}
    {%- set quoted = '"' ~ column.replace('"', '""') ~ '"' -%}
    select setval(sequence, last_key)
    from (
        select
            {% if sequence -%}
            to_regclass('{{ sequence.replace("'", "''") }}')
            {%- else -%}
            pg_get_serial_sequence('{{ table }}', '{{ column.replace("'", "''") }}')::regclass
            {%- endif %} as sequence,
            (select max({{ quoted }}) from {{ this }}) as last_key
    ) as keys
    where sequence is not null and last_key > coalesce(pg_sequence_last_value(sequence), 0)
{% endmacro %}
`,
};

export const UNIQUE_TOGETHER_TEST: Macro = {
  defines: ['test_sprocket_unique_together'],
  file: 'unique_together.sql',
  text: `{#- Several columns that are unique together; rows with a NULL among them do not count. -#}
{% test sprocket_unique_together(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where {% for column in columns %}{{ column }} is not null{{ ' and ' if not loop.last }}{% endfor %}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
`,
};
