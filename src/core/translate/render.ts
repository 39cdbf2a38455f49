/**
 * From versions to a query: every version that is needed becomes a CTE, once, after those that it
 * reads; relations that exist stay holes for the project writer.
 */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { Fragment, Part } from './fragment.ts';
import { identifier } from './identifiers.ts';
import type { Cte, Query, Refusal, Sql, SqlPart } from './types.ts';
import { ROW_COUNT } from './version.ts';
import type { Version } from './version.ts';

export interface RenderSettings {
  /** Versions that other models of the same translation build, and their tables. */
  readonly finals: ReadonlyMap<Version, QualifiedName>;
  /** Tables that the translation changes. */
  readonly changed: ReadonlySet<string>;
  /** Names that the author's text uses for CTEs of its own. */
  readonly taken: ReadonlySet<string>;
}

export interface Rendered {
  readonly query: Query;
  readonly refusals: readonly Refusal[];
  /** States of existing relations that the query reads. */
  readonly relations: readonly {
    readonly table: QualifiedName;
    readonly state: 'current' | 'former' | 'final';
  }[];
  readonly parameters: ReadonlySet<string>;
  /** It reads the clock, or counts rows of another statement. */
  readonly noise: boolean;
}

export function renderVersion(version: Version, settings: RenderSettings): Rendered {
  const renderer = new Renderer(settings, version);
  const final = renderer.final(version);
  return renderer.result(final);
}

export function renderFragment(fragment: Fragment, settings: RenderSettings): Rendered {
  const renderer = new Renderer(settings, null);
  return renderer.result(renderer.fragment(fragment));
}

class Renderer {
  readonly #settings: RenderSettings;
  readonly #root: Version | null;
  readonly #ctes: Cte[] = [];
  readonly #names = new Map<Version, string>();
  readonly #used = new Set<string>();
  readonly #refusals: Refusal[] = [];
  readonly #relations = new Map<string, Rendered['relations'][number]>();
  readonly #parameters = new Set<string>();
  #noise = false;

  constructor(settings: RenderSettings, root: Version | null) {
    this.#settings = settings;
    this.#root = root;
    for (const name of settings.taken) this.#used.add(name);
  }

  result(final: Sql): Rendered {
    return {
      query: { ctes: this.#ctes, final },
      refusals: this.#refusals,
      relations: [...this.#relations.values()],
      parameters: this.#parameters,
      noise: this.#noise,
    };
  }

  /** The version's query as the last one; a version with a column list needs a CTE first. */
  final(version: Version): Sql {
    const { body } = version;
    if (body.kind === 'query' && body.head === null) return this.fragment(body.sql);
    if (body.kind === 'union') return this.#union(body.inputs);
    if (body.kind === 'empty') return [noRows(version)];
    return [
      { kind: 'text', text: `select${columnList(version)}\nfrom ` },
      ...this.#from(version, null),
    ];
  }

  fragment(fragment: Fragment): Sql {
    return joined(fragment.flatMap((part) => this.#part(part)));
  }

  #part(part: Part): SqlPart[] {
    switch (part.kind) {
      case 'version':
        return this.#from(part.version, part.alias);
      case 'poison':
        this.#refusals.push(part.refusal);
        return [];
      case 'parameter':
        this.#parameters.add(part.name);
        return [part];
      case 'clock':
        this.#noise = true;
        return [part];
      default:
        return [part];
    }
  }

  /** A version in FROM. */
  #from(version: Version, alias: string | null): SqlPart[] {
    const relation = this.#relation(version);
    if (relation) {
      const text = alias !== null && relation.state === 'former' ? ` as ${alias}` : '';
      return text === '' ? [relation] : [relation, { kind: 'text', text }];
    }
    const name = this.#cte(version);
    const parts: SqlPart[] = [{ kind: 'cte', name }];
    return alias === null || alias === identifier(name)
      ? parts
      : [...parts, { kind: 'text', text: ` as ${alias}` }];
  }

  #relation(version: Version): Extract<SqlPart, { kind: 'relation' }> | null {
    const { finals, changed } = this.#settings;
    const final = finals.get(version);
    const isFinal = final !== undefined && version !== this.#root;
    if (version.body.kind !== 'initial' && !isFinal) return null;
    const table = isFinal || version.body.kind !== 'initial' ? final : version.body.table;
    if (!table) return null;
    const state = isFinal ? 'final' : changed.has(qualified(table)) ? 'former' : 'current';
    this.#relations.set(`${state} ${qualified(table)}`, { table, state });
    return { kind: 'relation', table, state };
  }

  #cte(version: Version): string {
    const known = this.#names.get(version);
    if (known !== undefined) return known;
    if (version.label === ROW_COUNT) this.#noise = true;
    const { body } = version;
    const sql =
      body.kind === 'query'
        ? this.fragment(body.sql)
        : body.kind === 'union'
          ? this.#union(body.inputs)
          : [noRows(version)];
    const name = this.#name(version.label);
    this.#names.set(version, name);
    this.#ctes.push({
      name,
      title: version.title,
      lines: version.lines,
      columns: body.kind === 'query' ? body.head : null,
      sql,
    });
    return name;
  }

  #name(label: string): string {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? label : `${label}_${number}`;
      if (this.#used.has(name)) continue;
      this.#used.add(name);
      return name;
    }
  }

  #union(inputs: readonly Version[]): Sql {
    const flat = inputs
      .flatMap((input) => this.#unionInputs(input))
      .filter((input) => input.body.kind !== 'empty');
    if (flat.length === 0 && inputs[0]) return [noRows(inputs[0])];
    return joined(
      flat.flatMap((input, index) => [
        {
          kind: 'text',
          text: `${index === 0 ? '' : '\n\nunion all\n\n'}select${columnList(input)}\nfrom `,
        },
        ...this.#from(input, null),
      ]),
    );
  }

  /** Unions of unions are written as one, unless the inner one is a CTE already. */
  #unionInputs(version: Version): readonly Version[] {
    if (version.body.kind !== 'union' || this.#names.has(version) || this.#relation(version))
      return [version];
    return version.body.inputs.flatMap((input) => this.#unionInputs(input));
  }
}

function columnList(version: Version): string {
  const { columns } = version;
  if (columns === null) return ' *';
  return `\n    ${columns.map((column) => identifier(column.name)).join(',\n    ')}`;
}

function noRows(version: Version): SqlPart {
  const columns = version.columns ?? [];
  const list = columns.map(
    (column) =>
      `${column.type === null ? 'null' : `cast(null as ${column.type})`} as ${identifier(column.name)}`,
  );
  const text = `select\n    ${list.length === 0 ? '1' : list.join(',\n    ')}\nwhere false`;
  return { kind: 'text', text };
}

function joined(parts: readonly SqlPart[]): Sql {
  const result: SqlPart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (part.kind === 'text' && last?.kind === 'text')
      result[result.length - 1] = { kind: 'text', text: last.text + part.text };
    else result.push(part);
  }
  return result;
}
