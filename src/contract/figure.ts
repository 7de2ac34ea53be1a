/** Figures as data: stages write them, the report draws them. No pixel, colour or HTML here. */

/** Where in the report a figure stands. */
export type Section = 'answer' | 'data' | 'sweep' | 'models' | 'map' | 'wallets' | 'strategy';

/** The meaning of a mark; it decides the ink. */
export type Role = 'this' | 'baseline' | 'other' | 'cost';

interface FigureBase {
  /** Unique within the artifact, kebab-case; becomes the anchor. */
  readonly id: string;
  readonly section: Section;
  /** The finding or the question, never the type of the chart. */
  readonly title: string;
  /** Quantity, unit, interval, n. */
  readonly subtitle: string;
  /** How it was computed, one line. */
  readonly caption: string;
  /** Heading in docs/methods.md, without `#`. */
  readonly method?: string;
}

export interface Axis {
  readonly label: string;
  readonly unit?: string;
  /** `time` values are UTC milliseconds. */
  readonly scale: 'linear' | 'log' | 'time';
  readonly min?: number;
  readonly max?: number;
}

/** Estimates with intervals, a row each. */
export interface ForestFigure extends FigureBase {
  readonly kind: 'forest';
  readonly unit: string;
  /** The value of "nothing": 0 for an edge, 0.5 for an AUC. */
  readonly zero: number;
  readonly rows: readonly {
    readonly label: string;
    readonly role: Role;
    readonly n: number;
    readonly value: number | null;
    readonly low: number | null;
    readonly high: number | null;
    readonly why?: string;
  }[];
}

/** Curves with optional bands: learning curves, ROC, reliability, volume over time. */
export interface LineFigure extends FigureBase {
  readonly kind: 'line';
  readonly x: Axis;
  readonly y: Axis;
  readonly reference?: 'diagonal' | 'zero';
  readonly series: readonly {
    readonly label: string;
    readonly role: Role;
    readonly x: readonly number[];
    readonly y: readonly (number | null)[];
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
    /** Points as dots, not joined. */
    readonly dots?: boolean;
  }[];
}

/** Sorted bars from zero. */
export interface BarsFigure extends FigureBase {
  readonly kind: 'bars';
  readonly unit: string;
  readonly bars: readonly {
    readonly label: string;
    readonly role: Role;
    readonly value: number | null;
    readonly low?: number | null;
    readonly high?: number | null;
    readonly note?: string;
  }[];
}

/** Counts between edges (`edges.length === counts.length + 1`), one or more groups. */
export interface HistogramFigure extends FigureBase {
  readonly kind: 'histogram';
  readonly x: Axis;
  readonly edges: readonly number[];
  readonly groups: readonly { readonly label: string; readonly role: Role; readonly counts: readonly number[] }[];
}

/** Points in the plane with columns to colour by and to show on hover: t-SNE, UMAP, PCA. */
export interface MapFigure extends FigureBase {
  readonly kind: 'map';
  readonly ids: readonly string[];
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly columns: readonly (
    | {
        readonly name: string;
        readonly unit?: string;
        readonly type: 'value';
        readonly values: readonly (number | null)[];
      }
    | {
        readonly name: string;
        readonly type: 'category';
        readonly categories: readonly string[];
        readonly codes: readonly number[];
      }
  )[];
  /** Name of the column that colours it first. */
  readonly colour?: string;
}

/** Cells with a value each: confusion matrices. */
export interface HeatmapFigure extends FigureBase {
  readonly kind: 'heatmap';
  readonly rowTitle: string;
  readonly columnTitle: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly unit: string;
}

export interface TableFigure extends FigureBase {
  readonly kind: 'table';
  readonly columns: readonly { readonly name: string; readonly unit?: string; readonly align: 'left' | 'right' }[];
  /** Numbers stay numbers, so that the page sorts and formats them; null is unknown. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export type Figure = ForestFigure | LineFigure | BarsFigure | HistogramFigure | MapFigure | HeatmapFigure | TableFigure;
