/**
 * The shape of the tree that PostgreSQL's PL/pgSQL parser gives, checked before it is read.
 *
 * Every node is an object with one key, its kind. Fields that are false, zero or empty are left out.
 */
import { z } from 'zod';

const node = z.record(z.string(), z.looseObject({}));
const nodes = z.array(node).default([]);

const expression = z.object({ PLpgSQL_expr: z.object({ query: z.string() }) });

const rowField = z.object({ name: z.string().optional(), varno: z.number().default(0) });

const target = z.object({
  PLpgSQL_row: z.object({ fields: z.array(rowField).default([]) }).optional(),
  PLpgSQL_rec: z.object({ refname: z.string() }).optional(),
  PLpgSQL_var: z.object({ refname: z.string() }).optional(),
});

const datatype = z.object({ PLpgSQL_type: z.object({ typname: z.string() }) });

const datum = z.object({
  PLpgSQL_var: z
    .object({
      refname: z.string(),
      lineno: z.number().optional(),
      datatype: datatype.optional(),
      default_val: expression.optional(),
      cursor_explicit_expr: expression.optional(),
      cursor_explicit_argrow: z.number().optional(),
    })
    .optional(),
  PLpgSQL_rec: z
    .object({
      refname: z.string(),
      lineno: z.number().optional(),
      default_val: expression.optional(),
    })
    .optional(),
  PLpgSQL_recfield: z
    .object({ fieldname: z.string(), recparentno: z.number().default(0) })
    .optional(),
  PLpgSQL_row: z.object({ fields: z.array(rowField).default([]) }).optional(),
});

export const functionTree = z.object({
  plpgsql_funcs: z.array(
    z.object({
      PLpgSQL_function: z.object({
        datums: z.array(datum).default([]),
        action: node,
      }),
    }),
  ),
});

/** Fields of statements, by kind; what is not named here is not needed. */
export const fields = {
  block: z.object({
    label: z.string().optional(),
    body: nodes,
    exceptions: node.optional(),
    lineno: z.number().default(0),
  }),
  exceptionBlock: z.object({ exc_list: nodes }),
  exception: z.object({ conditions: nodes, action: nodes, lineno: z.number().default(0) }),
  condition: z.object({ condname: z.string().default('') }),
  execsql: z.object({
    sqlstmt: expression,
    into: z.boolean().default(false),
    strict: z.boolean().default(false),
    target: target.optional(),
  }),
  assign: z.object({ varno: z.number().default(0), expr: expression }),
  conditional: z.object({
    cond: expression,
    then_body: nodes,
    elsif_list: nodes,
    else_body: nodes,
  }),
  elsif: z.object({ cond: expression, stmts: nodes, lineno: z.number().default(0) }),
  case: z.object({
    t_expr: expression.optional(),
    t_varno: z.number().optional(),
    case_when_list: nodes,
    have_else: z.boolean().default(false),
    else_stmts: nodes,
  }),
  caseWhen: z.object({ expr: expression, stmts: nodes, lineno: z.number().default(0) }),
  loop: z.object({ label: z.string().optional(), body: nodes, cond: expression.optional() }),
  fori: z.object({
    label: z.string().optional(),
    var: target,
    lower: expression,
    upper: expression,
    step: expression.optional(),
    reverse: z.boolean().default(false),
    body: nodes,
  }),
  forQuery: z.object({
    label: z.string().optional(),
    var: target,
    query: expression.optional(),
    params: z.array(expression).default([]),
    curvar: z.number().optional(),
    argquery: expression.optional(),
    body: nodes,
  }),
  foreach: z.object({
    label: z.string().optional(),
    varno: z.number().default(0),
    expr: expression,
    body: nodes,
  }),
  exit: z.object({
    is_exit: z.boolean().default(false),
    label: z.string().optional(),
    cond: expression.optional(),
  }),
  raise: z.object({
    elog_level: z.number().default(0),
    message: z.string().optional(),
    condname: z.string().optional(),
  }),
  assert: z.object({ cond: expression, message: expression.optional() }),
  return: z.object({ expr: expression.optional(), retvarno: z.number().optional() }),
  returnQuery: z.object({
    query: expression.optional(),
    dynquery: expression.optional(),
    params: z.array(expression).default([]),
  }),
  perform: z.object({ expr: expression }),
  dynexecute: z.object({
    query: expression,
    into: z.boolean().default(false),
    strict: z.boolean().default(false),
    target: target.optional(),
    params: z.array(expression).default([]),
  }),
  diagnostics: z.object({
    diag_items: z
      .array(
        z.object({
          PLpgSQL_diag_item: z.object({ kind: z.string(), target: z.number().default(0) }),
        }),
      )
      .default([]),
  }),
  open: z.object({
    curvar: z.number().default(0),
    argquery: expression.optional(),
    query: expression.optional(),
    dynquery: expression.optional(),
    params: z.array(expression).default([]),
  }),
  fetch: z.object({
    target: target.optional(),
    curvar: z.number().default(0),
    direction: z.number().default(0),
    how_many: z.number().default(1),
    expr: expression.optional(),
    is_move: z.boolean().default(false),
  }),
  close: z.object({ curvar: z.number().default(0) }),
};

export type TreeNode = z.infer<typeof node>;
export type Datum = z.infer<typeof datum>;
export type TargetTree = z.infer<typeof target>;
export type Expression = z.infer<typeof expression>;
