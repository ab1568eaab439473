/** The service worker of pushes: shows the few words it is sent, and leads to the requests. It sees no other traffic. */
declare const self: ServiceWorkerGlobalScope;

const DESK = "/guardian";

interface Push { text: string; language: string; tag: string }

self.addEventListener("push", (event) => {
  const { text, language, tag } = event.data?.json() as Push;
  // The tag makes one notification of a push that was sent twice.
  event.waitUntil(self.registration.showNotification("livesale", { body: text, lang: language, tag }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openDesk());
});

/** The desk that is open already, else a new one. */
async function openDesk(): Promise<void> {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const desk = open.find((client) => new URL(client.url).pathname.startsWith(DESK));
  await (desk ? desk.focus() : self.clients.openWindow(DESK));
}

export {};
