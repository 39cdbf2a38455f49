/** Names of the columns that a SELECT gives, as PostgreSQL would choose them. */
import type { Node, SelectStmt } from 'libpg-query';
import type { OutputColumn } from './keys.ts';
import { findColumn } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import { columnPath, functionPath, names } from './tree.ts';

/** Null where a star covers an entry of FROM whose columns are not known. */
export function selectOutputs(select: SelectStmt, scope: Scope): readonly OutputColumn[] | null {
  return targetOutputs(select.targetList ?? [], scope);
}

/** The same for any target list, such as that of RETURNING. */
export function targetOutputs(
  targets: readonly Node[],
  scope: Scope,
): readonly OutputColumn[] | null {
  const outputs: OutputColumn[] = [];
  for (const target of targets) {
    if (!('ResTarget' in target)) continue;
    const { name, val } = target.ResTarget;
    if (!val) continue;
    if ('ColumnRef' in val && columnPath(val.ColumnRef).at(-1) === '*') {
      const star = starOutputs(columnPath(val.ColumnRef), scope);
      if (star === null) return null;
      outputs.push(...star);
      continue;
    }
    outputs.push(outputOf(name ?? null, val, scope));
  }
  return outputs;
}

function outputOf(name: string | null, node: Node, scope: Scope): OutputColumn {
  const found = 'ColumnRef' in node ? findColumn(scope, columnPath(node.ColumnRef)) : null;
  const known = found && found !== 'maybe' ? found : null;
  return {
    name: name ?? defaultName(node),
    node,
    item: known?.item ?? null,
    column: known?.column.name ?? null,
  };
}

function starOutputs(path: readonly string[], scope: Scope): OutputColumn[] | null {
  const items =
    path.length === 1 ? scope.items : scope.items.filter((item) => item.alias === path.at(-2));
  if (items.length === 0 || items.some((item) => item.columns === null)) return null;
  return items.flatMap((item: RangeItem) =>
    (item.columns ?? []).map((column) => ({
      name: column.name,
      node: null,
      item,
      column: column.name,
    })),
  );
}

/** The name that PostgreSQL gives to an output column without AS. */
function defaultName(node: Node): string {
  if ('ColumnRef' in node) return columnPath(node.ColumnRef).at(-1) ?? '?column?';
  if ('FuncCall' in node) return functionPath(node.FuncCall).at(-1) ?? '?column?';
  if ('TypeCast' in node) {
    const inner = node.TypeCast.arg ? defaultName(node.TypeCast.arg) : '?column?';
    return inner === '?column?' ? (names(node.TypeCast.typeName?.names).at(-1) ?? inner) : inner;
  }
  if ('CoalesceExpr' in node) return 'coalesce';
  if ('CaseExpr' in node) {
    const otherwise = node.CaseExpr.defresult;
    const name = otherwise ? defaultName(otherwise) : '?column?';
    return name === '?column?' ? 'case' : name;
  }
  if ('MinMaxExpr' in node) return node.MinMaxExpr.op === 'IS_GREATEST' ? 'greatest' : 'least';
  if ('SQLValueFunction' in node)
    return (node.SQLValueFunction.op ?? '').replace('SVFOP_', '').replace(/_N$/u, '').toLowerCase();
  if ('SubLink' in node) {
    if (node.SubLink.subLinkType === 'EXISTS_SUBLINK') return 'exists';
    const query = node.SubLink.subselect;
    const first = query && 'SelectStmt' in query ? query.SelectStmt.targetList?.[0] : undefined;
    if (first && 'ResTarget' in first && node.SubLink.subLinkType === 'EXPR_SUBLINK') {
      return (
        first.ResTarget.name ??
        (first.ResTarget.val ? defaultName(first.ResTarget.val) : '?column?')
      );
    }
  }
  if ('A_ArrayExpr' in node) return 'array';
  if ('RowExpr' in node) return 'row';
  if ('CollateClause' in node && node.CollateClause.arg) return defaultName(node.CollateClause.arg);
  return '?column?';
}
