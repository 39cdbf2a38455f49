/** A row of a type table: which columns it is for, and how they travel. */
import type { ColumnMapping, Conversion, MovedColumn, Refusal } from '../model.ts';

/** What a rule may look at besides the column. */
export interface RuleContext {
  readonly zeroDates: 'error' | 'null';
  /** Bytes for this column in the narrowest key or index that it is in; null where it is in none. */
  readonly indexedBytes: number | null;
  /** Collation for text on the target that tells every two different strings apart. */
  readonly exactCollation: string;
  /** Types beyond the built-in ones that the target has. */
  readonly targetHasType: (type: string) => boolean;
}

export interface Travel {
  readonly type: string;
  readonly read?: string;
  readonly escape?: boolean;
  readonly write?: string;
  readonly convert?: Conversion;
  readonly argument?: string;
  readonly compareSource?: string;
  readonly compareTarget?: string;
  readonly refuses?: readonly Refusal[];
  readonly check?: string;
  /** The target column must allow NULL whatever the source says. */
  readonly loosensNull?: boolean;
}

export interface TypeRule {
  /** Source types, for people. */
  readonly from: string;
  /** Target type, for people. */
  readonly to: string;
  /** What is worth knowing, for people. */
  readonly note: string;
  readonly baseTypes: readonly string[] | ((column: MovedColumn) => boolean);
  /** Null: this column can't travel, and `note` says why. */
  readonly travel: (column: MovedColumn, context: RuleContext) => Travel | null;
}

export function ruleFor(rules: readonly TypeRule[], column: MovedColumn): TypeRule | undefined {
  return rules.find((rule) =>
    typeof rule.baseTypes === 'function'
      ? rule.baseTypes(column)
      : rule.baseTypes.includes(column.baseType),
  );
}

/** Fills in what a rule left out. Pure. */
export function toMapping(column: MovedColumn, travel: Travel): ColumnMapping {
  const read = travel.read ?? '{c}';
  return {
    source: column.name,
    target: column.name,
    place: column.place,
    sourceType: column.type,
    targetType: travel.type,
    nullable: column.nullable || travel.loosensNull === true,
    check: travel.check ?? null,
    autoIncrement: column.autoIncrement,
    generatedSql: null,
    read,
    escape: travel.escape ?? false,
    write: travel.write ?? null,
    convert: travel.convert ?? 'text',
    argument: travel.argument ?? '',
    compareSource: travel.compareSource ?? read,
    compareTarget: travel.compareTarget ?? '{c}',
    refuses: travel.refuses ?? [],
  };
}
