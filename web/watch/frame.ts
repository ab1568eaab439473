/** The picture out of the page: over other windows, over the whole screen, where the browser can. */

interface AppleVideo extends HTMLVideoElement { webkitEnterFullscreen?: () => void }

const picture = (): HTMLElement | null => document.querySelector(".picture");
const video = (): AppleVideo | null => document.querySelector(".picture video");

export const canFloat = (): boolean => document.pictureInPictureEnabled;

export async function float(): Promise<void> {
  if (document.pictureInPictureElement) await document.exitPictureInPicture();
  else await video()?.requestPictureInPicture();
}

/** iPhones fill the screen with a video only. */
export const canFillScreen = (): boolean => document.fullscreenEnabled || video()?.webkitEnterFullscreen !== undefined;

export async function fillScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen();
  else if (document.fullscreenEnabled) await picture()?.requestFullscreen();
  else video()?.webkitEnterFullscreen?.();
}
