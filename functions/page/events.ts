/**
 * Names of a browser's events, which the types of hono/jsx mention for attributes that a page without scripts
 * never has. The library of the DOM would declare far more, and contradict the Worker's own types.
 */
declare global {
  interface AnimationEvent extends Event {}
  interface ClipboardEvent extends Event {}
  interface CompositionEvent extends Event {}
  interface DragEvent extends Event {}
  interface FocusEvent extends Event {}
  interface FormDataEvent extends Event {}
  interface InputEvent extends Event {}
  interface KeyboardEvent extends Event {}
  interface MouseEvent extends Event {}
  interface PointerEvent extends Event {}
  interface TouchEvent extends Event {}
  interface TransitionEvent extends Event {}
  interface WheelEvent extends Event {}
}

export {}
